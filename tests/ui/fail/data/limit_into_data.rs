//! What is too long leads back to a state with data.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Name, eof => Gone, within = 30s => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone)]
    #[to(Line)]
    Name,
    #[read(until = b"\n", max = 1KiB, limit => Long)]
    #[to(Line)]
    Line { name: String },
    #[run]
    #[to(Gone)]
    Long { name: String },
    //~ Long { #[carry] name: String },
    #[end]
    Gone,
}

fn main() {}
