//! A state has two fields for one error.
//! Plants fsm::E073.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = String, error => Sorry)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[flush(within = 30s => Closed, error => Closed)]
    #[to(Closed)]
    Sorry {
        #[error]
        why: String,
        #[error]
        //~-
        again: String,
        //~-
    },
    #[end]
    Closed,
}

fn main() {}
