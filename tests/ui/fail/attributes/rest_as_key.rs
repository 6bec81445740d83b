//! An attribute of a state is among the keys of its wait.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = 4KiB, rest, idle = 5min => Gone)]
    //~ #[read(some, max = 4KiB, idle = 5min => Gone)] #[rest]
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
