//! A pool of jobs is given handlers of connections.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Count, job = u32, reply = u32)]
enum Egg {
    #[run]
    #[to(Done)]
    Count { left: u32 },
    #[end]
    Done,
}

struct Worker;

impl egg::Handler for Worker {
    fn count(&mut self, left: &mut u32, _: &mut JobCx<'_>) -> egg::AfterCount {
        egg::AfterCount::Done { reply: *left }
    }
}

fn main() {
    let _ = Pool::builder::<Egg>("egg").handler(|_peer| Worker);
    //~ let _ = Pool::builder::<Egg>("egg").worker(|| Worker);
}
