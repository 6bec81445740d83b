//! A whole state is marked as carried, not a field of it.
//! Plants fsm::E005.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run]
    #[to(Filing)]
    Body { left: u64 },
    #[run]
    #[to(Length | Closed)]
    #[carry]
    //~-
    Filing { left: u64 },
    //~ Filing { #[carry] left: u64 },
    #[end]
    Closed,
}

fn main() {}
