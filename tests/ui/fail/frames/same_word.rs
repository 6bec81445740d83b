//! Two variants with the same first word, without regard to case.
//! Plants fsm::E110.

use fsm_runtime::prelude::*;

#[frame(Commands, line = b"\r\n", max = 512, ignore_case)]
pub enum Command<'a> {
    #[is("quit")]
    Quit,
    #[is("QUIT")]
    //~ #[is("NICK")]
    Nick { name: &'a str },
}

fn main() {}
