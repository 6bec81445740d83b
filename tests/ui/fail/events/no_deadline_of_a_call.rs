//! A call that may wait for ever.
//! Plants fsm::E063.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(Index, gone => Closed)]
    //~ #[call(Index, within = 1min => Closed, gone => Closed)]
    #[to(Closed)]
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

    fn filing(&mut self, place: u64, cx: &mut Cx<'_>) -> upload::AfterFiling {
        write!(cx, "{place}");
        upload::AfterFiling::Closed
    }
}

fn main() {}
