//! An edge that can never be taken is the only one to its target.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Number, eof => Gone)]
enum Talk {
    #[read(exact = 8, idle = 60s => Gone, limit => TooLong)]
    //~ #[read(exact = 8, idle = 60s => Gone)]
    #[to(Number)]
    //~ #[to(Number | TooLong)]
    Number,
    #[run]
    #[to(Gone)]
    TooLong,
    #[end]
    Gone,
}

fn main() {}
