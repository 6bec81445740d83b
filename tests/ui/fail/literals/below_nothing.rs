//! A constant that bounds the queued output is zero.
//! Plants fsm::E021.

use fsm_runtime::prelude::*;

const LIMIT: usize = 0;
//~ const LIMIT: usize = 1024;

#[state_machine(start = Line)]
enum Talk {
    #[writable(below = LIMIT / 2, within = 5min => Gone)]
    #[to(Line | Gone)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &mut Cx<'_>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}
