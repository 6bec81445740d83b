//! A state that calls has a field with the name of its job.
//! Plants fsm::E075.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(Index, within = 1min => Closed, gone => Closed)]
    #[to(Closed)]
    Filing { job: String },
    //~ Filing { name: String },
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
        let job = bytes.to_vec();
        upload::AfterLine::Filing { job }
        //~ upload::AfterLine::Filing { job, name: String::new() }
    }

    fn filing(&mut self, _: &mut String, place: u64, cx: &mut Cx<'_>) -> upload::AfterFiling {
        write!(cx, "{place}");
        upload::AfterFiling::Closed
    }
}

fn main() {}
