//! A field is carried from one of another type.
//! Plants E0308.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run]
    #[to(Filing)]
    Body { left: u32 },
    #[run]
    #[to(Closed)]
    Filing {
        #[carry]
        left: u64,
        //~ left: u32,
    },
    #[end]
    Closed,
}

fn main() {}
