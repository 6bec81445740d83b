//! A machine in a function, with constants of that function.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

fn run() {
    const LARGEST: usize = 8;
    const END: &[u8] = b"\r\n";

    #[state_machine(start = Line, eof => Gone, limit => Gone)]
    enum Talk {
        #[read(until = END, max = LARGEST, idle = 60s => Gone)]
        #[to(Line)]
        Line,
        #[end]
        Gone,
    }

    struct Client;

    impl talk::Handler for Client {
        fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> talk::AfterLine {
            cx.write(line);
            talk::AfterLine::Line
        }
    }

    let mut session = Session::<Talk, _>::new(Client);
    session.send(b"a\r\nbc\r\n");
    assert_eq!(session.receive(), b"abc");
    session.send(b"12345678901");
    assert_eq!(session.state(), None);
}

fn main() {
    run();
}
