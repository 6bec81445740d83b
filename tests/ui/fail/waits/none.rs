//! Nothing says what a state waits for.
//! Plants fsm::E040.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[to(Closed)]
    //~+ #[read(exact = 8, within = 30s => Closed)]
    Length,
    #[end]
    Closed,
}

fn main() {}
