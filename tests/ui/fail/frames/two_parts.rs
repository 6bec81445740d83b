//! A part in a part.
//! Plants fsm::E114.

use fsm_runtime::prelude::*;

#[frame(Outers)]
pub struct Outer<'a> {
    len: u16,
    #[part(len <= 1KiB)]
    pub kind: u8,
    inner: u16,
    #[part(inner <= 512)]
    //~ #[bytes(inner <= 512)]
    #[rest]
    //~-
    pub body: &'a [u8],
}

fn main() {}
