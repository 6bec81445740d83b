//! Derives of others stay.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Talk, eof => Gone)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Talk"));
    assert_eq!(format!("{:?}", Echo::start(())), "Talk");
}
