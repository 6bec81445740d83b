//! A client over datagrams: an answer may be late, because its id tells which question it is for.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = u8, reply = Option<u8>)]
enum Asks {
    #[job(idle = 50s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(datagram, max = 64, within = 1s => Again)]
    #[to(Answer | Free)]
    Answer { asked: u8 },
    #[run]
    #[to(Answer | Free | Gone)]
    Again {
        #[carry]
        asked: u8,
    },
    #[end]
    Gone,
}

fn main() {
    let _ = asks::AfterFree::Answer { asked: 1 };
}
