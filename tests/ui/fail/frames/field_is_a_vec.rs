//! A frame lends its bytes.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block {
//~ pub struct Block<'a> {
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: Vec<u8>,
    //~ pub body: &'a [u8],
}

fn main() {
    let _ = Blocks::default();
}
