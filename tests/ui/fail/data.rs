//! All data comes from somewhere.

use fsm_runtime::prelude::*;

#[state_machine(start = Start, eof => Body, error = String, error => Failed)]
enum Data {
    #[read(some, max = 1KiB, within = 5s => Carried, error => Gone)]
    #[to(Body)]
    Start { left: u64 },
    #[flush(within = 5s => Failed)]
    #[to(Carried)]
    Body { name: String },
    #[run]
    #[to(Both)]
    Carried {
        #[carry]
        name: String,
        #[carry]
        left: u64,
    },
    #[run]
    #[to(Gone)]
    Both {
        #[carry]
        #[error]
        name: String,
    },
    #[run(error => Gone)]
    #[to(Gone)]
    Failed {
        #[error]
        why: String,
        #[error]
        also: String,
    },
    #[end]
    Gone,
}

fn main() {}
