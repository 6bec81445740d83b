//! A line without a bound.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n")]
//~ #[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("use")]
    Use { tube: &'a str },
    #[is("reserve")]
    Reserve,
}

fn main() {}
