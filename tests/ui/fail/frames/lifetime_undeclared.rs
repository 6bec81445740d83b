//! A lifetime that the struct does not declare.
//! Plants fsm::E104.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block {
//~ pub struct Block<'a> {
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
