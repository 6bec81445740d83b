//! An expression is a condition, whose arithmetic the macro would not see.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Gone, within = 30s => Gone)]
enum Upload {
    #[read(exact = 1)]
    #[to(Body)]
    Length,
    #[read(exact = if *left > 9 { 9 } else { *left }, max = 64KiB, limit => Gone)]
    //~ #[read(exact = at_most_nine(*left), max = 64KiB, limit => Gone)]
    #[to(Length)]
    Body { left: u64 },
    #[end]
    Gone,
}

//~+ fn at_most_nine(left: u64) -> u64 {
//~+     if left > 9 { 9 } else { left }
//~+ }
fn main() {}
