//! Bytes as the literal of an integer.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Hellos)]
pub struct Hello {
    #[is(b"PRI")]
    magic: u24,
    //~ magic: [u8; 3],
    pub version: u8,
}

fn main() {}
