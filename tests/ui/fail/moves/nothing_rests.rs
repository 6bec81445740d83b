//! A machine with `moves` has no state at rest, from which connections could move.
//! Plants fsm::E140.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = 9s => Gone)]
    #[to(Line)]
    //~+ #[rest]
    Line,
    #[end]
    Gone,
}

fn main() {}
