//! A line with a tag.
//! Plants fsm::E114.

use fsm_runtime::prelude::*;

#[frame(Commands, tag = u8, line = b"\r\n", max = 224)]
//~ #[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("use")]
    Use { tube: &'a str },
}

fn main() {}
