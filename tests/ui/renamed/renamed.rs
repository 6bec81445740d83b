//! The runtime under another name.

use my_fsm::prelude::*;
use my_fsm::sim::Session;

#[state_machine(start = Talk, eof => Gone, crate = ::my_fsm)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

impl part::Handler for Client {
    fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> part::AfterTalk {
        part::AfterTalk::Talk
    }
}

/// Read by a derive, which needs the runtime too.
#[state_machine(start = Talk, eof => Gone, crate = ::my_fsm)]
enum Part {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    Talk,
    #[cfg(any())]
    Absent,
    #[end]
    Gone,
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Talk"));
    assert_eq!(Session::<Part, _>::new(Client).state(), Some("Talk"));
}
