//! The start is an attribute of its state.
//! Plants fsm::E011.

use fsm_runtime::prelude::*;

#[state_machine(eof => Gone)]
//~ #[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line)]
    #[initial]
    //~-
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
