//! A deadline that nobody lives to see.
//! Plants fsm::E022.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 99999999999h => Closed)]
    //~ #[read(exact = 8, within = 24h => Closed)]
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
