//! A field cannot be made from the error.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = std::fmt::Error, error => Sorry)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[flush(within = 30s => Closed, error => Closed)]
    #[to(Closed)]
    Sorry {
        #[error]
        why: String,
        //~ why: std::fmt::Error,
    },
    #[end]
    Closed,
}

fn main() {}
