//! A sleep leads somewhere by itself.
//! Plants fsm::E017.

use fsm_runtime::prelude::*;

#[state_machine(start = Nap)]
enum Talk {
    #[sleep(30s => Gone)]
    //~ #[sleep(30s)]
    #[to(Gone)]
    Nap,
    #[end]
    Gone,
}

fn main() {}
