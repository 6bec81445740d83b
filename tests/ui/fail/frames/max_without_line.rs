//! A bound of a frame that has the sum of its bounds.
//! Plants fsm::E049.

use fsm_runtime::prelude::*;

#[frame(Blocks, max = 2MiB)]
//~ #[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {
    let mut out = Vec::new();
    let _ = Block { kind: 7, body: b"abc" }.encode(&mut out);
    let _ = Blocks::default().decode(&out);
}
