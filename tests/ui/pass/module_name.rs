//! The module may have another name than the enum.

use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;

mod echo {
    pub const NAME: &str = "taken";
}

#[state_machine(start = Talk, eof => Gone, module = talking)]
enum Echo {
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl talking::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> talking::AfterTalk {
        cx.write(bytes);
        talking::AfterTalk::Talk
    }
}

fn main() {
    let mut session = Session::<Echo, _>::new(Client);
    session.send(b"hello");
    assert_eq!(session.receive(), b"hello");
    assert_eq!(session.state(), Some("Talk"));
    assert_eq!(echo::NAME, "taken");
}
