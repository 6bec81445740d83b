//! A variant for other tags that does not keep which.
//! Plants fsm::E119.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    #[other]
    Unknown,
    //~ Unknown { #[tag] kind: u8 },
}

fn main() {}
