//! The constant of a delimiter has no bytes.
//! Plants fsm::E025.

use fsm_runtime::prelude::*;

const END: &[u8] = b"";
//~ const END: &[u8] = b"\n";

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = END, max = 1KiB, limit => Gone, idle = 5min => Gone)]
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
