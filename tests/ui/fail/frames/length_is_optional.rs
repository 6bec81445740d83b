//! A length that may be missing.
//! Plants fsm::E113.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    pub flags: u8,
    #[when(flags & 1 != 0)]
    //~-
    len: Option<u16>,
    //~ len: u16,
    #[bytes(len <= 1KiB)]
    pub body: &'a [u8],
}

fn main() {}
