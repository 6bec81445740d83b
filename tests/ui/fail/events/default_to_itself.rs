//! The deadline of the machine leads a state back to itself.
//! Plants fsm::E065.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, within = 30s => Sent)]
enum Upload {
    #[read(exact = 8)]
    #[to(Sent | Closed)]
    Length,
    #[flush]
    //~ #[flush(within = 30s => Closed)]
    #[to(Closed)]
    Sent,
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
