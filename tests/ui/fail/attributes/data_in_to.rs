//! The list of targets shows the data of one.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
    #[to(Line | Body { left })]
    //~ #[to(Line | Body)]
    Line,
    #[run]
    #[to(Gone)]
    Body { left: u64 },
    #[end]
    Gone,
}

fn main() {}
