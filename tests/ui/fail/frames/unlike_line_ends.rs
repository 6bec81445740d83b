//! Of two ends of a line the second is the last byte of the first, so that a line ends at one place.
//! Plants fsm::E025.

use fsm_runtime::prelude::*;

#[frame(Lines, line = b"\r\n" | b"\r", max = 64)]
//~ #[frame(Lines, line = b"\r\n" | b"\n", max = 64)]
pub struct Line<'a> {
    #[rest]
    pub text: &'a [u8],
}

fn main() {
    let _ = Line { text: b"abc" }.encoded_len();
}
