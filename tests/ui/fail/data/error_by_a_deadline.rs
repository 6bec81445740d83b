//! Only a deadline leads to a state that takes an error.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, error = std::fmt::Error, error => Gone)]
enum Talk {
    #[read(some, max = 1KiB, idle = 5min => Slow)]
    #[to(Line)]
    Line,
    #[run]
    #[to(Gone)]
    Slow { #[error] why: std::fmt::Error },
    //~ Slow,
    #[end]
    Gone,
}

fn main() {}
