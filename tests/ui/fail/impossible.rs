//! And no other has one.

use fsm_runtime::prelude::*;

#[state_machine(start = Head, eof => Gone, limit => Gone, error => Gone, idle = 1s => Gone)]
enum Impossible {
    #[read(exact = 8, limit => Gone, error => Gone, within = never)]
    #[to(Body)]
    Head,
    #[read(some, max = 8, limit => Gone, within = 1s => Gone)]
    #[to(Body | Answer)]
    Body,
    #[flush(eof => Gone, within = never, idle = 1s => Gone)]
    #[to(Nap)]
    Answer,
    #[sleep(1s, within = 5s => Gone)]
    #[to(Step)]
    Nap,
    #[run(idle = 5s => Gone)]
    #[to(Gone)]
    Step,
    #[end]
    Gone,
}

fn main() {}
