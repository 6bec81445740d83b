//! End of stream leads back to the read, which sees it again.
//! Plants fsm::E060.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Line)]
//~ #[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
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
