//! A frame is no union.
//! Plants fsm::E100.

use fsm_runtime::prelude::*;

#[frame(Words4)]
pub union Word {
//~ pub struct Word {
    whole: u32,
}

fn main() {}
