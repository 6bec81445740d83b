//! A typo in the attribute of a variant.
//! Plants fsm::E011.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event {
    #[is(1)]
    Join { user: u32 },
    #[ohter]
    //~ #[other]
    Unknown {
        #[tag]
        kind: u8,
    },
}

fn main() {}
