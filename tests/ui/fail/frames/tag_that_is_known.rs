//! A variant for one tag that keeps it.
//! Plants fsm::E119.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join {
        #[tag]
        //~-
        kind: u8,
        //~-
        user: u32,
    },
}

fn main() {}
