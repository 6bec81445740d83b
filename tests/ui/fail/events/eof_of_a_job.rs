//! A job has no peer that could end its stream.
//! Plants fsm::E064.

use fsm_runtime::prelude::*;

#[state_machine(start = Digest, job = Vec<u8>, reply = u64, message = u64)]
enum Index {
    #[run(blocking)]
    #[to(Store)]
    Digest { document: Vec<u8> },
    #[message(within = never, eof => Digest)]
    //~ #[message(within = never)]
    #[to(Done)]
    Store,
    #[end]
    Done,
}

struct Indexer;

impl index::Handler for Indexer {
    fn digest(&mut self, _: &mut Vec<u8>, _: &mut JobCx<'_, u64>) -> index::AfterDigest {
        index::AfterDigest::Store
    }

    fn store(&mut self, _: u64, _: &mut JobCx<'_, u64>) -> index::AfterStore {
        index::AfterStore::Done { reply: 7 }
    }
}

fn main() {}
