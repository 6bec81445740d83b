//! What follows digits without an end may begin with a digit.
//! Plants fsm::E105.

use fsm_runtime::prelude::*;

#[frame(Chunks)]
pub struct Chunk<'a> {
    #[hex]
    //~ #[hex(then = b"\r\n")]
    len: u32,
    #[bytes(len <= 9999, then = b"\r\n")]
    pub data: &'a [u8],
}

fn main() {
    let _ = Chunk { data: b"abc" }.encoded_len();
}
