//! Nothing leads to two states, which is one finding.
//! Plants fsm::E080.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    //~ #[to(Filing | Closed)]
    Length,
    #[run]
    #[to(Sent)]
    Filing,
    #[flush(within = 30s => Closed)]
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

    fn filing(&mut self, _: &mut Cx<'_>) -> upload::AfterFiling {
        upload::AfterFiling::Sent
    }
}

fn main() {}
