//! A length from the peer has no bound.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[read(exact = left, limit => Closed, within = 30s => Closed)]
    //~ #[read(exact = left, max = 64KiB, limit => Closed, within = 30s => Closed)]
    #[to(Length)]
    Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn body(&mut self, _: &mut u64, _: &[u8], _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Length
    }
}

fn main() {}
