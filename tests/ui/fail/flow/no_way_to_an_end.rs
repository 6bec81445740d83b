//! No end can be reached from a state.
//! Plants fsm::E081.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Nap | Closed)]
    Length,
    #[sleep(1s)]
    #[to(Nap)]
    //~ #[to(Length)]
    Nap,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }
}

fn main() {}
