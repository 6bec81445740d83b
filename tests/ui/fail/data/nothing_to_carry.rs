//! A state carries what one of those before it has not.
//! Plants fsm::E071.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Filing)]
    //~ #[to(Body)]
    Length,
    #[read(upto = left, max = 64KiB, within = 30s => Closed)]
    #[to(Filing)]
    Body { name: String, left: u64 },
    #[run]
    #[to(Length)]
    Filing {
        #[carry]
        name: String,
    },
    #[end]
    Closed,
}

fn main() {}
