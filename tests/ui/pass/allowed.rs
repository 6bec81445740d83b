//! What the enum allows is allowed in what is generated: an edge that is never taken, and a state that
//! is deprecated.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Talk, eof => Gone)]
#[allow(dead_code)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk | Old)]
    Talk,
    #[deprecated]
    #[run]
    #[to(Gone)]
    Old,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }

    fn old(&mut self, _: &mut Cx<'_>) -> echo::AfterOld {
        echo::AfterOld::Gone
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
}
