//! A size is that of the settings, whatever they say.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[derive(Default)]
struct Limits {
    line: usize,
}

#[state_machine(start = Line, settings = Limits, eof => Gone, limit => Gone)]
enum Talk {
    #[read(until = b"\n", max = settings.line, idle = 60s => Gone)]
    //~ #[read(until = b"\n", max = settings.line <= 64KiB, idle = 60s => Gone)]
    #[to(Gone)]
    Line,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, _: &[u8], cx: &mut Cx<'_, NoMessage, Limits>) -> talk::AfterLine {
        let most = cx.settings().line;
        writeln!(cx, "{most}");
        talk::AfterLine::Gone
    }
}

fn main() {}
