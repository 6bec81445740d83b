//! A variant without its tag.
//! Plants fsm::E109.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    //~+ #[is(2)]
    Leave { user: u32 },
}

fn main() {
    let _ = Event::Leave { user: 5 }.encoded_len();
}
