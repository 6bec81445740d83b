//! Nothing says where bytes end.
//! Plants fsm::E105.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    len: u32,
    //~+ #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {}
