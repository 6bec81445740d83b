//! A tick leads somewhere.
//! Plants fsm::E017.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 60s => Gone)]
    #[tick(30s => Gone)]
    //~ #[tick(30s)]
    #[to(Line | Gone)]
    Line,
    #[end]
    Gone,
}

fn main() {}
