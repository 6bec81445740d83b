//! No cycle spins.

use fsm_runtime::prelude::*;

#[state_machine(start = A, within = 5s => Gone)]
enum Cycles {
    #[run]
    #[to(B | Line)]
    A,
    #[run]
    #[to(C)]
    B,
    #[run]
    #[to(A | Flush)]
    C,
    #[read(until = b"\n", max = 1KiB, eof => Line, limit => TooLong)]
    #[to(Line | Gone)]
    Line,
    #[run]
    #[to(Line)]
    TooLong,
    #[flush]
    #[to(Flush | Other)]
    Flush,
    #[flush]
    #[to(Gone)]
    Other,
    #[end]
    Gone,
}

fn main() {}
