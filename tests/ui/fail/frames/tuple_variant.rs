//! A variant whose fields have no names.
//! Plants fsm::E003.

use fsm_runtime::prelude::*;

#[frame(Events, tag = u8)]
pub enum Event<'a> {
    #[is(1)]
    Join(u32),
    //~ Join { user: u32 },
    #[is(2)]
    Say { len: u8, #[bytes(len <= 255)] text: &'a str },
}

fn main() {}
