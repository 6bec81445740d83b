//! A state that does not wait needs no deadline.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run(within = 30s => Closed)]
    //~ #[run]
    #[to(Length)]
    Body,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn body(&mut self, _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Length
    }
}

fn main() {}
