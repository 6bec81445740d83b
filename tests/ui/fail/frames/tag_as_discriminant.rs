//! A tag as the discriminant of a variant.
//! Plants fsm::E109.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    //~+ #[is(2)]
    Ping = 2,
    //~ Ping,
}

fn main() {}
