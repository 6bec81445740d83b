//! A bound names a constant that there is not.
//! Plants E0425.

use fsm_runtime::prelude::*;

const LARGEST: usize = 1024;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = LARGST, idle = 5min => Gone)]
    //~ #[read(some, max = LARGEST, idle = 5min => Gone)]
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

const _: usize = LARGEST;

fn main() {}
