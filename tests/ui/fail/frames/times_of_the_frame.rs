//! `Times` takes the decoder, and not the frame.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Bulks)]
pub struct Bulk<'a> {
    len: u8,
    #[bytes(len <= 255)]
    pub bytes: &'a [u8],
}

#[frame(Requests)]
pub struct Request<'a> {
    count: u16,
    #[times(count <= 64)]
    pub arguments: Times<'a, Bulk<'a>>,
    //~ pub arguments: Times<'a, Bulks>,
}

fn main() {}
