//! A deadline is an attribute of its own.
//! Plants fsm::E011.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 4KiB)]
    //~ #[read(some, max = 4KiB, within = 10s => Gone)]
    #[to(Line)]
    #[deadline(10s => Gone)]
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
