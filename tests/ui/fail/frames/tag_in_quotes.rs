//! A tag in quotes.
//! Plants fsm::E111.

use fsm_runtime::prelude::*;

#[frame(Messages, tag = u8)]
pub enum Message {
    #[is("Q")]
    //~ #[is(b'Q')]
    Query { id: u32 },
    #[is(b'X')]
    Exit,
}

fn main() {}
