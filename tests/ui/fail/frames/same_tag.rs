//! Two variants with the same tag.
//! Plants fsm::E110.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    #[is(1)]
    //~ #[is(2)]
    Leave { user: u32 },
}

fn main() {}
