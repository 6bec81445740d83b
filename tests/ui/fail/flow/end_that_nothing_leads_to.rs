//! Nothing leads to the end, so that no state reaches one: one finding.
//! Plants fsm::E080.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Late, limit => Late)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, idle = 5min => Late)]
    #[to(Line)]
    //~ #[to(Line | Gone)]
    Line,
    #[sleep(1s)]
    #[to(Line)]
    Late,
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
