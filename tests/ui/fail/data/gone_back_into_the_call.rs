//! What a pool that is gone leads to is the call itself.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

struct Index;

impl Service for Index {
    type Job = Vec<u8>;
    type Reply = u64;
}

#[state_machine(start = Text, eof => Closed)]
enum Store {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Filing)]
    Text,
    #[call(Index, within = 1min => Closed, gone => Filing)]
    //~ #[call(Index, within = 1min => Closed, gone => Closed)]
    #[to(Text)]
    Filing,
    #[end]
    Closed,
}

fn main() {}
