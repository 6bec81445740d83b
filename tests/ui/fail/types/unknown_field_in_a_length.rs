//! A length names a field that the state has not.
//! Plants E0425.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[read(upto = lef, max = 64KiB, within = 30s => Closed)]
    //~ #[read(upto = left, max = 64KiB, within = 30s => Closed)]
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
