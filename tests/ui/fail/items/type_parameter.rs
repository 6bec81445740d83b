//! The enum has a type parameter.
//! Plants fsm::E002.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload<T> {
//~ enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { store: T },
    //~ Body { store: Vec<u8> },
    #[end]
    Closed,
}

fn main() {}
