//! A group has a small letter.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, next = Line | Gone)]
//~ #[state_machine(start = Line, eof => Gone, Next = Line | Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line)]
    //~ #[to(Next)]
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
