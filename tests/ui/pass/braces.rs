//! States with empty braces, as start, as end, and as target of every kind of edge.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, eof => Gone, limit => Long, idle = 60s => Gone)]
enum Talk {
    #[read(until = b"\n", max = 4)]
    #[to(Line | Long)]
    Line {},
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Long {},
    #[end]
    Gone {},
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
        cx.write(line);
        if line.is_empty() { talk::AfterLine::Long } else { talk::AfterLine::Line }
    }
}

fn main() {
    let mut session = Session::<Talk, _>::new(Client);
    session.send(b"ab\n12345");
    assert_eq!(session.receive(), b"ab");
    assert_eq!(session.state(), None);
}
