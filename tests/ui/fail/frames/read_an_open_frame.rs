//! A frame that takes the rest, and that nothing ends.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[frame(Logs)]
pub struct Log<'a> {
    pub level: u8,
    //~+ len: u16,
    #[rest]
    //~ #[bytes(len <= 1KiB)]
    pub text: &'a [u8],
}

#[state_machine(start = Line, eof => Gone, limit => Gone, refused => Gone)]
enum Talk {
    #[read(frame = Logs, max = 2KiB, idle = 5min => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

fn main() {}
