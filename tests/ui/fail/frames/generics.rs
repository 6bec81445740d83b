//! A frame with a parameter for a type.
//! Plants fsm::E101.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<T> {
//~ pub struct Block {
    pub kind: u8,
    pub body: T,
    //~ pub body: u32,
}

fn main() {}
