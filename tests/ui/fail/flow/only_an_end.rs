//! The machine has an end and nothing before it.
//! Plants fsm::E085.

use fsm_runtime::prelude::*;

#[state_machine(start = Gone)]
//~ #[state_machine(start = Line, eof => Gone)]
enum Talk {
    //~+ #[read(some, max = 1KiB, within = 30s => Gone)]
    //~+ #[to(Line)]
    //~+ Line,
    #[end]
    Gone,
}

fn main() {}
