//! A machine goes from thread to thread.

use std::rc::Rc;

use fsm_runtime::prelude::*;

#[state_machine(start = A)]
enum Unsent {
    #[run]
    #[to(B)]
    A,
    #[run]
    #[to(C)]
    B { shared: Rc<u8>, unknown: Unknown },
    #[end]
    C,
}

fn main() {}
