//! A word is cut off.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Work)]
enum Talk {
    #[run(block)]
    //~ #[run(blocking)]
    #[to(Gone)]
    Work,
    #[end]
    Gone,
}

fn main() {}
