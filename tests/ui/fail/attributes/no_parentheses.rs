//! An attribute has a value in place of its parentheses.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, within = 30s => Closed)]
enum Upload {
    #[read = 8]
    //~ #[read(exact = 8)]
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
