//! Two events of a state of a job lead to the end, and nothing gives the reply.
//! Plants fsm::E078.

use fsm_runtime::prelude::*;

#[state_machine(start = Count, job = u32, reply = u32)]
enum Egg {
    #[sleep(1s)]
    #[to(Asking)]
    Count { left: u32 },
    #[call(Clock, within = 5s => Done, gone => Done)]
    //~ #[call(Clock, within = 5s => Raw, gone => Raw)]
    #[to(Done)]
    Asking,
    //~+ #[run]
    //~+ #[to(Done)]
    //~+ Raw,
    #[end]
    Done,
}

struct Clock;

impl Service for Clock {
    type Job = u32;
    type Reply = u32;
}

fn main() {}
