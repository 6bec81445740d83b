//! An array in a line.
//! Plants fsm::E116.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("use")]
    Use { tube: &'a str },
    #[is("key")]
    Key { key: [u8; 16] },
    //~ Key { key: &'a [u8] },
}

fn main() {}
