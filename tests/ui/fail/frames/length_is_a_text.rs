//! A length that is no integer.
//! Plants fsm::E106.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    #[until(b":", max = 5)]
    //~ #[decimal(then = b":")]
    len: &'a str,
    //~ len: u32,
    #[bytes(len <= 64KiB)]
    pub body: &'a [u8],
}

fn main() {}
