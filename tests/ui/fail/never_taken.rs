//! L1: an edge that is declared and never taken warns.
#![deny(dead_code)]

use fsm_runtime::prelude::*;

#[state_machine(start = A)]
enum Machine {
    #[run]
    #[to(B | C)]
    A,
    #[sleep(1s)]
    #[to(C)]
    B,
    #[end]
    C,
}

struct Client;

impl machine::Handler for Client {
    fn a(&mut self, _: &mut Cx<'_>) -> machine::AfterA {
        machine::AfterA::B
    }
}

fn main() {
    drop(fsm_runtime::sim::Session::<Machine, _>::new(Client));
}
