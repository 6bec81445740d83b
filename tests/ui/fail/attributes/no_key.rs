//! A bound has no key.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload {
    #[read(8, within = 30s => Closed)]
    //~ #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

fn main() {}
