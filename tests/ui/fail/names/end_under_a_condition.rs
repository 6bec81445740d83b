//! An edge leads to an end that exists under a condition.
//! Plants fsm::E019.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 1KiB, idle = 5min => Late)]
    //~ #[cfg_attr(target_os = "none", read(some, max = 1KiB, idle = 5min => Late))]
    //~+ #[cfg_attr(not(target_os = "none"), read(some, max = 1KiB, idle = 5min => Gone))]
    #[to(Line)]
    Line,
    #[cfg(target_os = "none")]
    #[end]
    Late,
    #[end]
    Gone,
}

fn main() {}
