//! A job waits until its output has left.
//! Plants fsm::E055.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[run(blocking)]
    #[to(Store)]
    Digest { document: Vec<u8> },
    #[flush(within = never)]
    //~ #[sleep(1s)]
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
