//! A state has two fields of one name.
//! Plants E0124.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run]
    #[to(Closed)]
    Body { left: u64, left: u64 },
    //~ Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn body(&mut self, _: &mut u64, _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Closed
    }

    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: 8 }
    }
}

fn main() {}
