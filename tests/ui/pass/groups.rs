//! Groups, groups of groups, and groups that overlap.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Line, eof => Gone, limit => Gone, idle = 60s => Gone, Live = Line | Pause, Any = Live | Gone)]
enum Talk {
    #[read(until = b'\n', max = 64)]
    #[to(Any | Live)]
    Line,
    #[sleep(1s)]
    #[to(Live)]
    Pause,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn line(&mut self, line: &[u8], _: &mut Cx<'_>) -> talk::AfterLine {
        match line {
            b"pause" => talk::AfterLine::Pause,
            b"quit" => talk::AfterLine::Gone,
            _ => talk::AfterLine::Line,
        }
    }

    fn pause(&mut self, cx: &mut Cx<'_>) -> talk::AfterPause {
        cx.write(b".");
        if cx.queued() > 1 { talk::AfterPause::Pause } else { talk::AfterPause::Line }
    }
}

fn main() {
    let mut session = Session::<Talk, _>::new(Client);
    session.send(b"hello\npause\n");
    assert_eq!(session.state(), Some("Pause"));
    session.advance(std::time::Duration::from_secs(1));
    assert_eq!(session.state(), Some("Line"));
    session.send(b"quit\n");
    assert_eq!(session.state(), None);
}
