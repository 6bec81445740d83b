//! The module has the name of another; rustc finds two, and nothing of the machine in the first.
//! Plants E0428, E0432.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
//~ #[state_machine(start = Length, eof => Closed, module = uploading)]
enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Closed)]
    Length,
    #[end]
    Closed,
}

mod upload {
    pub const LARGEST: u64 = 1 << 30;
}

const _: u64 = upload::LARGEST;

fn main() {}
