//! A job reads.
//! Plants fsm::E055.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>, reply = u64)]
enum Index {
    #[run(blocking)]
    #[to(Store)]
    Digest { document: Vec<u8> },
    #[read(exact = 8, within = never)]
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

    fn store(&mut self, _: &[u8; 8], _: &mut JobCx<'_>) -> index::AfterStore {
        //~ fn store(&mut self, _: &mut JobCx<'_>) -> index::AfterStore {
        index::AfterStore::Done { reply: 7 }
    }
}

fn main() {}
