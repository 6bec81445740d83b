//! A tick is beside a wait that it does not go with.
//! Plants fsm::E041.

use fsm_runtime::prelude::*;

#[state_machine(start = Sent)]
enum Talk {
    #[flush(within = 30s => Gone)]
    #[tick(1s)]
    //~-
    #[to(Gone)]
    Sent,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {}

fn main() {}
