//! An enum whose module could have no name.
//! Plants fsm::E036.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
//~ #[state_machine(start = Length, eof => Closed, module = upload)]
enum Super {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

fn main() {}
