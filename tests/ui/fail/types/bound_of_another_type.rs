//! A bound has another type than `usize`.
//! Plants E0308.

use fsm_runtime::prelude::*;

const LARGEST: u64 = 1024;
//~ const LARGEST: usize = 1024;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(some, max = LARGEST, idle = 5min => Gone)]
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
