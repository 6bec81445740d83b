//! A literal that is negative.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Ends)]
pub struct End {
    #[is(-1)]
    //~ #[is(0xFFFF)]
    mark: i16,
    //~ mark: u16,
    pub kind: u8,
}

fn main() {}
