//! Nothing bounds how long the wait for a message may take.
//! Plants fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Idle, message = u32)]
enum Push {
    #[message(eof => Gone)]
    //~ #[message(eof => Gone, within = never)]
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
