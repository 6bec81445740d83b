//! A handler takes output for what may fail; it is queued, and a peer that does not read takes an edge.
//! Plants E0277, E0277.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line)]
    #[rest]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
        writeln!(cx, "{} bytes", line.len())?;
        //~ writeln!(cx, "{} bytes", line.len());
        talk::AfterLine::Line
    }
}

fn main() {}
