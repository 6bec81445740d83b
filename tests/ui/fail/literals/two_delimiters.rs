//! A read has two delimiters, as the lines of a frame may have.
//! Plants fsm::E025.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\r\n" | b"\n", max = 4KiB, limit => Gone, idle = 5min => Gone)]
    //~ #[read(until = b"\n", max = 4KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}
