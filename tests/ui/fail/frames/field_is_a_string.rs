//! A frame lends its text.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block {
//~ pub struct Block<'a> {
    len: u32,
    #[bytes(len <= 1MiB)]
    pub body: String,
    //~ pub body: &'a str,
}

fn main() {
    let _ = Blocks::default();
}
