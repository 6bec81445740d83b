//! The end of stream leads to a state that reads.
//! Plants fsm::E060.

use fsm_runtime::prelude::*;

#[state_machine(start = Head, eof => Rest)]
enum Upload {
    #[read(exact = 8, within = 30s => Gone)]
    #[to(Rest)]
    Head,
    #[read(some, max = 1KiB, within = 30s => Gone)]
    //~ #[read(some, max = 1KiB, within = 30s => Gone, eof => Gone)]
    #[to(Rest | Gone)]
    Rest,
    #[end]
    Gone,
}

fn main() {}
