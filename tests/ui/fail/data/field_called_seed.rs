//! A hand-off has a field with the name of its seed.
//! Plants fsm::E075.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Watching)]
    Line,
    #[handoff(Events, within = 5s => Closed, gone => Closed)]
    Watching { seed: u8 },
    //~ Watching { tries: u8 },
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
        let seed = bytes.to_vec();
        upload::AfterLine::Watching { seed }
        //~ upload::AfterLine::Watching { seed, tries: 0 }
    }
}

fn main() {}
