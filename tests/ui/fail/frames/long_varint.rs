//! A varint of more bytes than its type.
//! Plants fsm::E108.

use fsm_runtime::prelude::*;

#[frame(Packets)]
pub struct Packet<'a> {
    pub head: u8,
    #[varint(max = 6)]
    //~ #[varint(max = 4)]
    len: u32,
    #[bytes(len <= 256KiB)]
    pub body: &'a [u8],
}

fn main() {}
