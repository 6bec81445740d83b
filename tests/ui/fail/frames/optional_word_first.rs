//! An optional word before another one.
//! Plants fsm::E112.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("touch")]
    Touch {
        //~+ key: &'a [u8],
        ttl: Option<u32>,
        key: &'a [u8],
        //~-
    },
}

fn main() {}
