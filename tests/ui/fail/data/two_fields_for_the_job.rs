//! A machine starts with a job, and has two fields for it.
//! Plants fsm::E076.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[run(blocking)]
    #[to(Store)]
    Digest { document: Vec<u8>, sum: u64 },
    //~ Digest { document: Vec<u8> },
    #[sleep(1s)]
    #[to(Done)]
    Store,
    #[end]
    Done,
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(
        &mut self,
        _: &mut Vec<u8>,
        _: &mut u64,
        //~-
        _: &mut JobCx<'_>,
    ) -> index::AfterDigest {
        index::AfterDigest::Store
    }

    fn store(&mut self, _: &mut JobCx<'_>) -> index::AfterStore {
        index::AfterStore::Done { reply: 7 }
    }
}

fn main() {}
