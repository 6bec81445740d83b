//! A state takes a job that comes back, and only `gone` leads to it.
//! Plants fsm::E079.

use fsm_runtime::prelude::*;

struct Index;

impl Service for Index {
    type Job = Vec<u8>;
    type Reply = u64;
}

#[state_machine(start = Text, eof => Closed)]
enum Store {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Filing | Busy)]
    Text,
    #[call(Index, within = 1min => Closed, gone => Closed)]
    //~ #[call(Index, within = 1min => Closed, gone => Closed, full => Busy)]
    #[to(Text)]
    Filing,
    #[sleep(1s)]
    #[to(Filing)]
    Busy {
        #[job]
        document: Vec<u8>,
    },
    #[end]
    Closed,
}

fn main() {}
