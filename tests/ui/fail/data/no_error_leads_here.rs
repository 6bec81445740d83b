//! A state takes an error, and no error leads to it.
//! Plants fsm::E079.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 1KiB, idle = 5min => Gone)]
    #[to(Line | Refused)]
    Line,
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Refused {
        #[error]
        //~-
        why: std::fmt::Error,
    },
    #[end]
    Gone,
}

fn main() {}
