//! A word is misspelt.
//! Plants fsm::E010.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = 60s => Gone)]
    #[to(Line)]
    #[rest(kepp)]
    //~ #[rest(keep)]
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
