//! A comma is missing between two edges.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone limit => Gone)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Gone)]
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
