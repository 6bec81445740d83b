//! Two machines of one module, with states of one name.

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

#[state_machine(start = Talk, eof => Gone)]
enum Shout {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    Talk,
    #[end]
    Gone,
}

impl shout::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> shout::AfterTalk {
        cx.write(&bytes.to_ascii_uppercase());
        shout::AfterTalk::Talk
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Talk"));

    let mut session = Session::<Shout, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"HELLO");
}
