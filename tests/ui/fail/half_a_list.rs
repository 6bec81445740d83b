//! A list of states that is being typed.

use fsm_runtime::prelude::*;

#[state_machine(start = Head)]
enum Typing {
    #[run]
    #[to(Gone |)]
    Head,
    #[end]
    Gone,
}

struct Client;

impl typing::Handler for Client {
    fn head(&mut self, _cx: &mut Cx<'_>) -> typing::AfterHead {
        typing::AfterHead::Gone
    }
}

fn main() {}
