//! The machine starts in a state with more data than it can be started with.
//! Plants fsm::E070.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello)]
//~ #[state_machine(start = Hello, seed = String)]
enum Events {
    #[run]
    #[to(Gone)]
    Hello { topic: String, last: u64 },
    //~ Hello { topic: String },
    #[end]
    Gone,
}

fn main() {}
