//! The decoder has the name of the frame.
//! Plants fsm::E075.

use fsm_runtime::prelude::*;

#[frame(Block)]
//~ #[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {}
