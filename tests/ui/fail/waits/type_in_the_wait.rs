//! The type of the messages stands at the wait for one.
//! Plants fsm::E005.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone, message = String)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
    #[message(String)]
    //~ #[message]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
