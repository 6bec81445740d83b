//! A length that no field has.
//! Plants fsm::E106.

use fsm_runtime::prelude::*;

#[frame(Blocks)]
pub struct Block<'a> {
    pub kind: u8,
    length: u32,
    #[bytes(lenght <= 1MiB)]
    //~ #[bytes(length <= 1MiB)]
    pub body: &'a [u8],
}

fn main() {
    let mut out = Vec::new();
    let _ = Block { kind: 7, body: b"abc" }.encode(&mut out);
    let _ = Blocks::default().decode(&out);
}
