//! The type of messages is left to be guessed.
//! Plants fsm::E015.

use fsm_runtime::prelude::*;

#[state_machine(start = Idle, message = _)]
//~ #[state_machine(start = Idle, message = u32)]
enum Push {
    #[message(within = never, eof => Gone)]
    #[to(Idle)]
    Idle,
    #[end]
    Gone,
}

struct Client;

impl push::Handler for Client {
    fn idle(&mut self, _: u32, _: &mut Cx<'_, u32>) -> push::AfterIdle {
        push::AfterIdle::Idle
    }
}

fn main() {}
