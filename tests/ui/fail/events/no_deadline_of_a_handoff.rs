//! A hand-off that may wait for ever.
//! Plants fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Watching)]
    Line,
    #[handoff(Events, gone => Closed)]
    //~ #[handoff(Events, within = 5s => Closed, gone => Closed)]
    Watching,
    #[end]
    Closed,
}

#[state_machine(start = Hello, seed = Vec<u8>)]
enum Events {
    #[flush(within = 30s => Gone)]
    #[to(Gone)]
    Hello { topic: Vec<u8> },
    #[end]
    Gone,
}

struct Client;

impl upload::Handler for Client {
    fn line(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> upload::AfterLine {
        upload::AfterLine::Watching { seed: bytes.to_vec() }
    }
}

fn main() {}
