//! The handler of a machine with `moves` does not say how it moves.
//! Plants E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, moves, eof => Gone, limit => Gone)]
//~ #[state_machine(start = Line, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = 80, idle = 9s => Gone)]
    #[to(Line)]
    #[rest]
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
