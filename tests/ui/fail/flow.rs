//! Every state is on a way from the start to an end.

use fsm_runtime::prelude::*;

#[state_machine(start = A, eof => Gone, within = 5s => Gone)]
enum Flow {
    #[read(some, max = 1KiB)]
    #[to(A | Trap)]
    A,
    #[sleep(1s)]
    #[to(Deeper)]
    Trap,
    #[sleep(1s)]
    #[to(Trap)]
    Deeper,
    #[flush]
    #[to(A)]
    Lost,
    #[flush]
    #[to(Lost)]
    Forgotten,
    #[end]
    Gone,
}

fn main() {}
