//! The peer may leave while a state waits for a message.
//! Plants fsm::E060.

use fsm_runtime::prelude::*;

#[state_machine(start = Idle, message = u32)]
enum Push {
    #[message(within = never)]
    //~ #[message(within = never, eof => Gone)]
    #[to(Idle | Gone)]
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
