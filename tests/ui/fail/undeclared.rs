//! L1: only declared edges compile.

use fsm_runtime::prelude::*;

#[state_machine(start = A)]
enum Machine {
    #[run]
    #[to(B)]
    A,
    #[run]
    #[to(C)]
    B { left: u64 },
    #[end]
    C,
}

struct Client;

impl machine::Handler for Client {
    fn a(&mut self, _: &mut Cx<'_>) -> machine::AfterA {
        machine::AfterA::C
    }

    fn b(&mut self, left: &mut u64, _: &mut Cx<'_>) -> machine::AfterB {
        *left += 1;
        machine::AfterB::C { left: 1 }
    }
}

struct Nobody;

fn main() {
    let _ = fsm_runtime::sim::Session::<Machine, _>::new(Client);
    let _ = fsm_runtime::sim::Session::<Machine, _>::new(Nobody);
}
