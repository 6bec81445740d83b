//! A key that a length does not have.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[frame(Bulks)]
pub struct Bulk<'a> {
    #[decimal(then = b"\r\n")]
    len: u32,
    #[bytes(len <= 512KiB, end = b"\r\n")]
    //~ #[bytes(len <= 512KiB, then = b"\r\n")]
    pub bytes: &'a [u8],
}

fn main() {}
