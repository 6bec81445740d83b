//! A delimiter of a word.
//! Plants fsm::E116.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("use")]
    Use {
        #[until(b" ", max = 200)]
        //~-
        tube: &'a str,
    },
}

fn main() {}
