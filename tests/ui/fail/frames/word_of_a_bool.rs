//! A truth value in a line, without its word.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("delete")]
    Delete {
        key: &'a [u8],
        //~+ #[is("noreply")]
        noreply: bool,
    },
}

fn main() {}
