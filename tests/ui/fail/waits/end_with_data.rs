//! An end has data, which nobody would see.
//! Plants fsm::E043.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Length | Closed)]
    Length,
    #[end]
    Closed { why: String },
    //~ Closed,
}

fn main() {}
