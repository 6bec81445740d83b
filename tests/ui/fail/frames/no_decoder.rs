//! The name of the decoder is missing.
//! Plants fsm::E102.

use fsm_runtime::prelude::*;

#[frame]
//~ #[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    len: u24,
    #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {
    let _ = Block { kind: 7, body: b"abc" }.encoded_len();
}
