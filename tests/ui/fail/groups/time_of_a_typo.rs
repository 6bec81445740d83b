//! The time of a group whose name is a typo is the only one.
//! Plants E0599.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, within(Lime) = 1min => Gone)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone, within(Line) = 1min => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
