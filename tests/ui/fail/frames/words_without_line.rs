//! Words of a frame that is no line.
//! Plants fsm::E115.

use fsm_runtime::prelude::*;

#[frame(Messages)]
pub struct Message<'a> {
    pub kind: u8,
    pub keys: Words<'a>,
    //~ #[until(b"\n", max = 64)] pub keys: &'a [u8],
}

fn main() {}
