//! A literal of another length than its array.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Hellos)]
pub struct Hello {
    #[is(b"HTTP")]
    magic: [u8; 3],
    //~ magic: [u8; 4],
    pub version: u8,
}

fn main() {}
