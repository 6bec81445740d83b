//! A deadline leads to a state with data, and there is no handler to fill it.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Sorry)]
    //~ #[read(exact = 8, within = 30s => Closed)]
    #[to(Sorry | Closed)]
    Length,
    #[flush(within = 30s => Closed)]
    #[to(Closed)]
    Sorry { why: String },
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
