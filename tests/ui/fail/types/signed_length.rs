//! The field of a length is signed.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Gone, limit => Gone, within = 30s => Gone)]
enum Upload {
    #[read(exact = 1)]
    #[to(Body)]
    Length,
    #[read(exact = left + 2, max = 64KiB)]
    #[to(Length)]
    Body { left: i32 },
    //~ Body { left: u32 },
    #[end]
    Gone,
}

fn main() {}
