//! A `|` has a value on one side alone.
//! Plants fsm::E013.

use fsm_runtime::prelude::*;

#[frame(Lines, line = b"\r\n" |, max = 64)]
//~ #[frame(Lines, line = b"\r\n" | b"\n", max = 64)]
pub struct Line<'a> {
    #[rest]
    pub text: &'a [u8],
}

fn main() {
    let _ = Line { text: b"abc" }.encoded_len();
}
