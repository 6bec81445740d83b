//! The type that is called takes no jobs.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(String, within = 1min => Closed, gone => Closed)]
    //~ #[call(Index, within = 1min => Closed, gone => Closed)]
    #[to(Closed)]
    Filing,
    #[end]
    Closed,
}

struct Index;

impl Service for Index {
    type Job = Vec<u8>;
    type Reply = u64;
}

fn main() {}
