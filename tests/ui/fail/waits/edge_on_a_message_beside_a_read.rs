//! An edge is on the second of two waits.
//! Plants fsm::E005.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone, message = u8, within = 5min => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80)]
    #[message(idle = 60s => Gone)]
    //~ #[message]
    #[to(Line)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], _: &mut Cx<'_, u8>) -> talk::AfterLine {
        talk::AfterLine::Line
    }

    fn line_message(&mut self, _: u8, _: &mut Cx<'_, u8>) -> talk::AfterLine {
        talk::AfterLine::Line
    }
}

fn main() {}
