//! A read is named by what it reads.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(line, max = 1KiB, idle = 60s => Gone)]
    //~ #[read(until = b"\n", max = 1KiB, idle = 60s => Gone)]
    #[to(Gone)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Gone
    }
}

fn main() {}
