//! A client that asks over datagrams reads the rest of an answer from a stream.
//! Plants fsm::E127.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = u8, reply = Option<u8>)]
enum Asks {
    #[job(idle = 50s => Gone)]
    #[to(Answer)]
    #[rest]
    Free,
    #[read(datagram, max = 64, within = 5s => Lost)]
    #[to(Rest)]
    Answer,
    #[read(exact = 1, within = 5s => Lost)]
    //~ #[read(datagram, max = 64, within = 5s => Lost)]
    #[to(Free)]
    Rest,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

fn main() {
    let _ = asks::AfterFree::Answer;
}
