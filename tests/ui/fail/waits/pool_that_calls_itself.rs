//! The jobs of a pool wait for room in the same pool.
//! Plants fsm::E056.

use fsm_runtime::prelude::*;

#[state_machine(start = Read, job = String, reply = usize, gone => Lost)]
enum Count {
    #[run]
    #[to(Half)]
    Read { text: String },
    #[call(Self, within = 10s => Lost)]
    //~ #[call(Self, within = 10s => Lost, full => Lost)]
    #[to(Done)]
    Half,
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

fn main() {}
