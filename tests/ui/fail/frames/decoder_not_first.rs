//! The name of the decoder is not the first.
//! Plants fsm::E102.

use fsm_runtime::prelude::*;

#[frame(tag = u8, Events)]
//~ #[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
}

fn main() {}
