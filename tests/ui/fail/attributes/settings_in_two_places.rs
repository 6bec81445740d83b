//! Two attributes use settings that the machine lacks.
//! Plants fsm::E057.

use fsm_runtime::prelude::*;

#[derive(Default)]
struct Limits {
    line: usize,
    idle: std::time::Duration,
}

#[state_machine(start = Line, eof => Gone, limit => Gone)]
//~ #[state_machine(start = Line, settings = Limits, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = settings.line <= 1KiB, idle = settings.idle <= 1h => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {
    let _ = Limits { line: 80, idle: std::time::Duration::from_secs(60) };
}
