//! The machine has an `idle` that is as long as its `within`.
//! Plants fsm::E069.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, within = 1min => Gone, idle = 60s => Gone)]
//~ #[state_machine(start = Line, eof => Gone, within = 1min => Gone)]
enum Talk {
    #[read(some, max = 1KiB)]
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
