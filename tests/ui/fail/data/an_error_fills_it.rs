//! An error leads to a state with data, and none of it is marked.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed, error = String, error => Sorry)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[flush(within = 30s => Closed, error => Closed)]
    #[to(Closed)]
    Sorry { why: String },
    //~ Sorry { #[error] why: String },
    #[end]
    Closed,
}

fn main() {}
