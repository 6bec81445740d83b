//! A tag that is too large for its type.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
//~ #[frame(Events, tag = u16)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    #[is(300)]
    Leave { user: u32 },
}

fn main() {}
