//! The states in `to` have another sign between them.
//! Plants fsm::E016.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line + Gone)]
    //~ #[to(Line | Gone)]
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
