//! The enum has a lifetime.
//! Plants fsm::E002.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload<'a> {
//~ enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { name: &'a str },
    //~ Body { name: String },
    #[end]
    Closed,
}

fn main() {}
