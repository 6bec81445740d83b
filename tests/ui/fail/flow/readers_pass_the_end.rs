//! The end of stream leads from one reader to another and back.
//! Plants fsm::E082.

use fsm_runtime::prelude::*;

#[state_machine(start = Head, idle = 30s => Gone)]
enum Upload {
    #[read(exact = 8, eof => Tail)]
    //~ #[read(exact = 8, eof => Gone)]
    #[to(Tail | Gone)]
    Head,
    #[read(exact = 4, eof => Head)]
    #[to(Head)]
    Tail,
    #[end]
    Gone,
}

fn main() {}
