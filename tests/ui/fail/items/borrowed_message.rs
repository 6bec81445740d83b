//! The messages of a machine are borrowed.
//! Plants fsm::E007.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, message = &str)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone, message = String)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
    #[message]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
