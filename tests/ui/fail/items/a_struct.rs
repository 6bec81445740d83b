//! A machine is an enum.
//! Plants fsm::E001.

use fsm_runtime::prelude::*;

#[state_machine(start = Length)]
struct Upload {
//~ enum Upload {
    length: u64,
    //~ #[run]
    //~+ #[to(Closed)]
    //~+ Length,
    //~+ #[end]
    //~+ Closed,
}

fn main() {}
