//! A key with a value has the arrow of an edge.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max => 4KiB, idle = 5min => Gone)]
    //~ #[read(some, max = 4KiB, idle = 5min => Gone)]
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
