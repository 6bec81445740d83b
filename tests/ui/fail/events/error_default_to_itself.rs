//! The errors of all handlers lead to a state whose handler fails, too.
//! Plants fsm::E062.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, error = std::fmt::Error, error => Refused)]
enum Talk {
    #[read(some, max = 1KiB, idle = 5min => Gone)]
    #[to(Line)]
    Line,
    #[flush(within = 5s => Gone)]
    //~ #[flush(within = 5s => Gone, error => Gone)]
    #[to(Gone)]
    Refused,
    #[end]
    Gone,
}

fn main() {}
