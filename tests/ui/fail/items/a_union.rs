//! A machine is no union, and what is ours on its fields is taken away.
//! Plants fsm::E001.

use fsm_runtime::prelude::*;

#[state_machine(start = Length)]
#[derive(Clone, Copy)]
union Upload {
//~ enum Upload {
    #[read(exact = 8)]
    //~ #[run]
    //~+ #[to(Closed)]
    length: u64,
    //~ Length,
    #[end]
    closed: (),
    //~ Closed,
}

fn main() {}
