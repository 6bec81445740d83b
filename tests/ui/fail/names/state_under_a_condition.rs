//! A verdict names a state that exists under a condition.
//! Plants fsm::E019.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, within = 30s => Gone)]
enum Talk {
    #[read(some, max = 1KiB)]
    #[to(Line | Traced)]
    //~ #[cfg_attr(target_os = "none", to(Line | Traced))]
    //~+ #[cfg_attr(not(target_os = "none"), to(Line))]
    Line,
    #[cfg(target_os = "none")]
    #[flush]
    #[to(Line)]
    Traced,
    #[end]
    Gone,
}

fn main() {}
