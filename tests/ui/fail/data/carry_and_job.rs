//! A field has two sources.
//! Plants fsm::E074.

use fsm_runtime::prelude::*;

#[state_machine(start = Line, eof => Closed)]
enum Upload {
    #[read(some, max = 1KiB, within = 30s => Closed)]
    #[to(Filing)]
    Line,
    #[call(Index, within = 1min => Closed, full => Busy, gone => Closed)]
    #[to(Closed)]
    Filing { document: Vec<u8> },
    #[sleep(1s)]
    #[to(Filing)]
    Busy {
        #[carry]
        //~-
        #[job]
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
        let (job, document) = (bytes.to_vec(), bytes.to_vec());
        upload::AfterLine::Filing { job, document }
    }

    fn filing(&mut self, _: &mut Vec<u8>, place: u64, cx: &mut Cx<'_>) -> upload::AfterFiling {
        write!(cx, "{place}");
        upload::AfterFiling::Closed
    }

    fn busy(&mut self, document: &mut Vec<u8>, _: &mut Cx<'_>) -> upload::AfterBusy {
        let job = std::mem::take(document);
        upload::AfterBusy::Filing { document: job.clone(), job }
    }
}

fn main() {}
