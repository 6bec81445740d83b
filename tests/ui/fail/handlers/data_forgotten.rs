//! A handler takes none of the data of its state.
//! Plants E0050.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run]
    #[to(Closed)]
    Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Body { left: 8 }
    }

    fn body(&mut self, _: &mut Cx<'_>) -> upload::AfterBody {
        //~ fn body(&mut self, _: &mut u64, _: &mut Cx<'_>) -> upload::AfterBody {
        upload::AfterBody::Closed
    }
}

fn main() {}
