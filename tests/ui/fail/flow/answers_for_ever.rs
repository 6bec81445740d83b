//! What is refused is answered and stays, so it is refused again.
//! Plants fsm::E084.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => TooLong, idle = 5min => Gone)]
    #[to(Line)]
    Line,
    #[flush(within = 30s => Gone)]
    #[to(Line)]
    //~ #[to(Gone)]
    TooLong,
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
