//! A constant that bounds a read is zero.
//! Plants fsm::E021.

use fsm_runtime::prelude::*;

const LIMIT: usize = 0;
//~ const LIMIT: usize = 1024;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = LIMIT, idle = 5min => Gone)]
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
