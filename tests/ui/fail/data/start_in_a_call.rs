//! A machine starts with a call, and nothing gives its job.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Filing, eof => Closed)]
//~ #[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(Index, within = 1min => Closed, gone => Closed)]
    #[to(Line | Closed)]
    Filing,
    #[end]
    Closed,
}

struct Index;

impl Service for Index {
    type Job = Vec<u8>;
    type Reply = u64;
}

struct Client;

impl upload::Handler for Client {
    fn line(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> upload::AfterLine {
        upload::AfterLine::Filing { job: bytes.to_vec() }
    }

    fn filing(&mut self, place: u64, _: &mut Cx<'_>) -> upload::AfterFiling {
        match place {
            0 => upload::AfterFiling::Line,
            _ => upload::AfterFiling::Closed,
        }
    }
}

fn main() {}
