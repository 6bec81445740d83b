//! The order of the bytes of a text.
//! Plants fsm::E005.

use fsm_runtime::prelude::*;

#[frame(Names)]
pub struct Name<'a> {
    #[le]
    len: u16,
    #[bytes(len <= 64)]
    #[le]
    //~-
    pub name: &'a str,
}

fn main() {}
