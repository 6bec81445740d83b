//! The time of a tick has a key.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
    #[tick(every = 30s)]
    //~ #[tick(30s)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
