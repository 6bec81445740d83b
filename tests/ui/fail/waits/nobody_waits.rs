//! The machine has messages, and no state waits for one.
//! Plants fsm::E052.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, message = u32)]
//~ #[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

fn main() {}
