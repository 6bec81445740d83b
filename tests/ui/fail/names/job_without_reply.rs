//! A machine has jobs, and does not say what it answers.
//! Plants fsm::E039.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>)]
//~ #[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[run(blocking)]
    #[to(Store)]
    Digest { document: Vec<u8> },
    #[sleep(1s)]
    #[to(Done)]
    Store,
    #[end]
    Done,
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(&mut self, _: &mut Vec<u8>, _: &mut JobCx<'_>) -> index::AfterDigest {
        index::AfterDigest::Store
    }

    fn store(&mut self, _: &mut JobCx<'_>) -> index::AfterStore {
        index::AfterStore::Done { reply: 7 }
    }
}

fn main() {}
