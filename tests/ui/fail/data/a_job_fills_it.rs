//! A field is for the job that comes back, and does not say so.
//! Plants fsm::E072.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(Index, within = 1min => Closed, full => Busy, gone => Closed)]
    #[to(Closed)]
    Filing,
    #[sleep(1s)]
    #[to(Filing)]
    Busy {
        //~+ #[job]
        document: Vec<u8>,
    },
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

    fn busy(&mut self, document: &mut Vec<u8>, _: &mut Cx<'_>) -> upload::AfterBusy {
        upload::AfterBusy::Filing { job: std::mem::take(document) }
    }
}

fn main() {}
