//! A cycle waits for nothing.
//! Plants fsm::E082.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Check)]
    Length,
    #[run]
    #[to(Retry | Closed)]
    Check,
    #[run]
    //~ #[sleep(1s)]
    #[to(Check)]
    Retry,
    #[end]
    Closed,
}

struct Client;

impl upload::Handler for Client {
    fn length(&mut self, _: &[u8; 8], _: &mut Cx<'_>) -> upload::AfterLength {
        upload::AfterLength::Check
    }

    fn check(&mut self, _: &mut Cx<'_>) -> upload::AfterCheck {
        upload::AfterCheck::Retry
    }

    fn retry(&mut self, _: &mut Cx<'_>) -> upload::AfterRetry {
        upload::AfterRetry::Check
    }
}

fn main() {}
