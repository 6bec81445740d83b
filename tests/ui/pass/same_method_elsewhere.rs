//! A handler whose other traits and methods have the names of its states.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Talk, eof => Gone)]
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

trait Other {
    fn talk(&mut self) -> u8;
}

impl Other for Client {
    fn talk(&mut self) -> u8 {
        1
    }
}

impl Client {
    #[allow(clippy::unused_self)]
    fn talk(&self) -> u8 {
        2
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Talk"));
    assert_eq!((Client.talk(), Other::talk(&mut Client)), (2, 1));
}
