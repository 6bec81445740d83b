//! The data of a state has no names.
//! Plants fsm::E003.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body(u64),
    //~ Body { left: u64 },
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }
    //~+ fn body(&mut self, _: &mut u64, _: &mut Cx<'_>) -> upload::AfterBody {
    //~+     upload::AfterBody::Length
    //~+ }
}

fn main() {}
