//! Names that are not English.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

#[state_machine(start = Écoute, eof => Fini)]
enum Écho {
    #[read(some, max = 16KiB, idle = 60s => Fini)]
    #[to(Écoute)]
    #[rest]
    Écoute,
    #[end]
    Fini,
}

struct Client;

impl écho::Handler for Client {
    fn écoute(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> écho::AfterÉcoute {
        cx.write(bytes);
        écho::AfterÉcoute::Écoute
    }
}

fn main() {
    let mut session = Session::<Écho, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Écoute"));
}
