//! The state in which a connection begins has data.
//! Plants fsm::E070.

use fsm_runtime::prelude::*;

#[state_machine(start = Free, job = String, reply = Option<Vec<u8>>, eof => Lost, limit => Lost)]
enum Asking {
    #[job(idle = 60s => Gone, eof => Gone)]
    #[to(Answer)]
    #[rest]
    Free { questions: u32 },
    //~ Free,
    #[read(until = b"\n", max = 1KiB, within = 20s => Lost)]
    #[to(Free)]
    Answer,
    #[run]
    #[to(Gone)]
    Lost,
    #[end]
    Gone,
}

fn main() {}
