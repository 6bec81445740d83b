//! The enum has a constant parameter.
//! Plants fsm::E002.

use fsm_runtime::prelude::*;

#[state_machine(start = Length, eof => Closed)]
enum Upload<const N: usize> {
//~ enum Upload {
    #[read(exact = 8, within = 30s => Closed)]
    #[to(Body | Closed)]
    Length,
    #[run]
    #[to(Length)]
    Body { name: [u8; N] },
    //~ Body { name: [u8; 16] },
    #[end]
    Closed,
}

fn main() {}
