//! The case of words that are not there.
//! Plants fsm::E115.

use fsm_runtime::prelude::*;

#[frame(Messages, tag = u8, ignore_case)]
//~ #[frame(Messages, tag = u8)]
pub enum Message {
    #[is(b'Q')]
    Query { id: u32 },
}

fn main() {}
