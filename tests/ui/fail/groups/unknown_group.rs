//! A group is misspelt.
//! Plants fsm::E031.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, Anything = Length | Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Anythin)]
    //~ #[to(Anything)]
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
