//! What only types can say, rustc says at the user's tokens.

use fsm_runtime::prelude::*;

#[state_machine(start = A, eof => Gone, within = 5s => Gone, error = Fault, error => Failed)]
enum Types {
    #[read(frame = NoCodec, max = 1KiB, limit => Gone)]
    #[to(Body)]
    A,
    #[read(upto = name, max = LIMIT)]
    #[to(Kept)]
    Body { name: String },
    #[sleep(name, max = 5min)]
    #[to(Gone)]
    Kept {
        #[carry]
        name: u32,
    },
    #[run(error => Gone)]
    #[to(Gone)]
    Failed {
        #[error]
        why: Why,
    },
    #[end]
    Gone,
}

struct NoCodec;
struct Fault;
struct Why;
const LIMIT: u64 = 5;

fn main() {}
