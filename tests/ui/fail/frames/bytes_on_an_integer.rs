//! A length for an integer.
//! Plants fsm::E114.

use fsm_runtime::prelude::*;

#[frame(Numbers)]
pub struct Number {
    pub len: u8,
    #[bytes(len <= 4)]
    //~-
    pub value: u32,
}

fn main() {}
