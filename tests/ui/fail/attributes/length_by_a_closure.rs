//! A length is made by a closure.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Gone, limit => Gone, within = 30s => Gone)]
enum Upload {
    #[read(exact = 1)]
    #[to(Body)]
    Length,
    #[read(exact = (|| left + 2)(), max = 64KiB)]
    //~ #[read(exact = left + 2, max = 64KiB)]
    #[to(Length)]
    Body { left: u64, name: String },
    #[end]
    Gone,
}

fn main() {}
