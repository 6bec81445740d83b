//! Two variants for all other frames.
//! Plants fsm::E110.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event<'a> {
    #[other]
    //~ #[is(1)]
    Text {
        #[tag]
        //~-
        kind: u8,
        len: u8,
        #[bytes(len <= 255)]
        text: &'a str,
    },
    #[other]
    Unknown {
        #[tag]
        kind: u8,
    },
}

fn main() {}
