//! A wait that completes with its first byte has a time from that on.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 80, idle = 60s => Gone, begun = 5s => Gone)]
    //~ #[read(some, max = 80, idle = 60s => Gone)]
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
