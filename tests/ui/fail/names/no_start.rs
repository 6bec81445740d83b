//! Nothing says where the machine starts.
//! Plants fsm::E030.

use fsm_runtime::prelude::*;

#[state_machine(eof => Closed)]
//~ #[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
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
