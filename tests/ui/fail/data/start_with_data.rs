//! The machine starts in a state with data.
//! Plants fsm::E070.

use fsm_runtime::prelude::*;

#[state_machine(start = Body, eof => Closed)]
enum Upload {
    #[read(upto = left, max = 64KiB, within = 30s => Closed)]
    //~ #[read(some, max = 64KiB, within = 30s => Closed)]
    #[to(Closed)]
    Body { left: u64 },
    //~ Body,
    #[end]
    Closed,
}

fn main() {}
