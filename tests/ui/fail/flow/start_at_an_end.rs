//! The machine starts in an end.
//! Plants fsm::E085.

use fsm_runtime::prelude::*;

#[state_machine(start = Gone, eof => Gone)]
//~ #[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 1KiB, within = 30s => Gone)]
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
