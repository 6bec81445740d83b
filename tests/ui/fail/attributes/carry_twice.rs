//! A field is marked twice.
//! Plants fsm::E012.

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
    #[to(Closed)]
    Filing {
        #[carry]
        #[carry]
        //~-
        left: u64,
    },
    #[end]
    Closed,
}

fn main() {}
