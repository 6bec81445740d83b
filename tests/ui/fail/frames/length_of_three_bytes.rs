//! A length as an array of its bytes.
//! Plants fsm::E106.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    len: [u8; 3],
    //~ len: u24,
    #[bytes(len <= 16MiB - 1)]
    pub body: &'a [u8],
}

fn main() {
    let mut out = Vec::new();
    let _ = Block { kind: 7, body: b"abc" }.encode(&mut out);
    let _ = Blocks::default().decode(&out);
}
