//! A time of the settings is a number.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[derive(Default)]
struct Limits {
    idle: u64,
    //~ idle: std::time::Duration,
}

#[state_machine(start = Line, eof => Gone, settings = Limits)]
enum Talk {
    #[read(some, max = 1KiB, idle = settings.idle <= 1h => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
