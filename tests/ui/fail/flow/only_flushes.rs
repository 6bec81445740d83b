//! A cycle flushes, again and again.
//! Plants fsm::E083.

use fsm_runtime::prelude::*;

#[state_machine(start = Sent)]
enum Ticker {
    #[flush(within = 30s => Gone)]
    #[to(Again)]
    Sent,
    #[flush(within = 30s => Gone)]
    //~ #[sleep(1s)]
    #[to(Sent | Gone)]
    Again,
    #[end]
    Gone,
}

fn main() {}
