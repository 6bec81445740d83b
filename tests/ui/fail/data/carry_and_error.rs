//! A field has two sources.
//! Plants fsm::E074.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = String, error => Closed)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body)]
    Length,
    #[run(error => Sorry)]
    #[to(Closed)]
    Body { why: String },
    #[flush(within = 30s => Closed, error => Closed)]
    #[to(Closed)]
    Sorry {
        #[carry]
        //~-
        #[error]
        why: String,
    },
    #[end]
    Closed,
}

fn main() {}
