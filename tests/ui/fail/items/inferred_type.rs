//! The type of a field is left to be guessed.
//! Plants fsm::E006.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { left: Vec<_> },
    //~ Body { left: Vec<u8> },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn body(&mut self, _: &mut Vec<u8>, _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Length
    }
}

fn main() {}
