//! A deadline leads to the end of a job, and nothing gives the reply.
//! Plants fsm::E078.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[run]
    #[to(Store)]
    Digest { document: Vec<u8> },
    #[call(Disk, within = 1min => Done, gone => Failed)]
    //~ #[call(Disk, within = 1min => Failed, gone => Failed)]
    #[to(Done)]
    Store,
    #[run]
    #[to(Done)]
    Failed,
    #[end]
    Done,
}

struct Disk;

impl Service for Disk {
    type Job = Vec<u8>;
    type Reply = u64;
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(&mut self, document: &mut Vec<u8>, _: &mut JobCx<'_>) -> index::AfterDigest {
        index::AfterDigest::Store { job: std::mem::take(document) }
    }

    fn store(&mut self, place: u64, _: &mut JobCx<'_>) -> index::AfterStore {
        index::AfterStore::Done { reply: place }
    }

    fn failed(&mut self, _: &mut JobCx<'_>) -> index::AfterFailed {
        index::AfterFailed::Done { reply: 0 }
    }
}

fn main() {}
