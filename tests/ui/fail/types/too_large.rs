//! A machine is larger than its budget.
//! Plants fsm::E090.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, size <= 32)]
//~ #[state_machine(start = Length, eof => Closed, size <= 65)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { digest: [u8; 64] },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn body(&mut self, _: &mut [u8; 64], _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Length
    }
}

fn main() {}
