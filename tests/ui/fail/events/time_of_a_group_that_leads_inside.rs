//! The time of a group leads to a state of the group.
//! Plants fsm::E058.

use fsm_runtime::prelude::*;

#[state_machine(
    start = Line, eof => Gone, limit => Gone, Request = Line | Slow,
    within(Request) = 1min => Slow,
    //~ within(Request) = 1min => Gone,
)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = 5s => Slow)]
    #[to(Line)]
    Line,
    #[flush]
    #[to(Line)]
    Slow,
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
