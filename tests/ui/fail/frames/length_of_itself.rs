//! A length that is its own.
//! Plants fsm::E107.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    len: u32,
    #[bytes(body <= 1MiB)]
    //~ #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {}
