//! A frame that contains itself.
//! Plants fsm::E103.

use fsm_runtime::prelude::*;

#[frame(Values)]
pub struct Value<'a> {
    len: u16,
    #[bytes(len <= 1KiB)]
    pub text: &'a str,
    pub next: Value<'a>,
    //~-
}

fn main() {}
