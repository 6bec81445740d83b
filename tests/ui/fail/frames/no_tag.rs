//! An enum without a tag.
//! Plants fsm::E119.

use fsm_runtime::prelude::*;

#[frame(Events)]
//~ #[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    #[is(2)]
    Leave { user: u32 },
}

fn main() {}
