//! A number is multiplied by the name of a unit.
//! Plants fsm::E020.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 64 * KiB, idle = 60s => Gone)]
    //~ #[read(until = b"\n", max = 64KiB, idle = 60s => Gone)]
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
