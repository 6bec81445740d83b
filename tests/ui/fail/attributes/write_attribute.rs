//! A state has an attribute to write.
//! Plants fsm::E011.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Gone)]
enum Talk {
    #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 5min => Gone)]
    #[to(Line | Sorry)]
    #[rest]
    Line,
    #[write]
    //~ #[run]
    #[to(Gone)]
    Sorry,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
        cx.write(line);
        talk::AfterLine::Line
    }

    fn sorry(&mut self, cx: &mut Cx<'_>) -> talk::AfterSorry {
        cx.write(b"sorry");
        talk::AfterSorry::Gone
    }
}

fn main() {}
