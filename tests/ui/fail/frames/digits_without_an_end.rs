//! Nothing says where digits end.
//! Plants fsm::E105.

use fsm_runtime::prelude::*;

#[frame(Netstrings)]
pub struct Netstring<'a> {
    #[decimal]
    //~ #[decimal(then = b":")]
    len: u32,
    #[bytes(len <= 9999, then = b",")]
    pub text: &'a [u8],
}

fn main() {
    let _ = Netstring { text: b"abc" }.encoded_len();
}
