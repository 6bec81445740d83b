//! A word behind all words.
//! Plants fsm::E112.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 224)]
pub enum Command<'a> {
    #[is("get")]
    Get {
        //~+ ttl: u32,
        keys: Words<'a>,
        ttl: u32,
        //~-
    },
}

fn main() {}
