//! A state's name is a keyword of the edition 2024, and a delimiter has a backtick.

use fsm_runtime::prelude::*;

#[state_machine(start = Gen, eof => Gone, within = 30s => Gone)]
enum Talk {
    #[read(until = b"`|``", max = 1KiB, limit => Gone)]
    #[to(Gen | Gone)]
    Gen,
    #[end]
    Gone,
}

struct Client;

impl talk::Handler for Client {
    fn r#gen(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> talk::AfterGen {
        if bytes.is_empty() { talk::AfterGen::Gone } else { talk::AfterGen::Gen }
    }
}

fn main() {
    let mut session = fsm_runtime::sim::Session::<Talk, _>::new(Client);
    session.send(b"a`|``");
}
