//! A connection is handed to what is no machine.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Watching)]
    Line,
    #[handoff(String, within = 5s => Closed, gone => Closed)]
    //~ #[handoff(Events, within = 5s => Closed, gone => Closed)]
    Watching,
    #[end]
    Closed,
}

#[state_machine(start = Hello, seed = Vec<u8>)]
enum Events {
    #[flush(within = 30s => Gone)]
    #[to(Gone)]
    Hello { topic: Vec<u8> },
    #[end]
    Gone,
}

fn main() {}
