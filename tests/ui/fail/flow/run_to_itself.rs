//! A step that is taken at once leads to itself.
//! Plants fsm::E082.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Check | Closed)]
    Length,
    #[run]
    #[to(Check | Length)]
    //~ #[to(Length)]
    Check,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Closed
    }

    fn check(&mut self, _: &mut Cx<'_>) -> upload::AfterCheck {
        upload::AfterCheck::Length
    }
}

fn main() {}
