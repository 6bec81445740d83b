//! The smallest machine.

use fsm_runtime::prelude::*;

#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    /// Sends back whatever comes.
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
    let mut peer = fsm_runtime::sim::Session::<Echo, _>::new(Client);
    peer.send(b"hello");
    assert_eq!(peer.receive(), b"hello");
}
