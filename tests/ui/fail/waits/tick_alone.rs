//! A tick is the only wait of a state.
//! Plants fsm::E041.

use fsm_runtime::prelude::*;

#[state_machine(start = Beat)]
enum Talk {
    #[tick(1s)]
    //~ #[sleep(1s)]
    #[to(Beat | Gone)]
    Beat,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn beat(&mut self, _: &mut Cx<'_>) -> talk::AfterBeat {
        talk::AfterBeat::Gone
    }
}

fn main() {}
