//! A condition for a word.
//! Plants fsm::E116.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command {
    #[is("wait")]
    Wait {
        count: u32,
        #[when(count > 1)]
        //~-
        seconds: Option<u32>,
    },
}

fn main() {}
