//! The data that the front pool's clients share.

use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::{Found, Lookup, look_up};
use crate::hot::HotDocuments;
use crate::index::{Indexer, Outcome, Task};
use crate::store::Directory;

/// The data that all clients of the front pool share.
pub(crate) struct Server {
    pub(crate) directory: Arc<Directory>,
    pub(crate) hot: Arc<HotDocuments>,
    /// The largest document, in bytes.
    pub(crate) max_size: u64,
    /// The port to which clients that do not use TLS are sent; `None` if they are served.
    pub(crate) https_port: Option<u16>,
    /// The other pools' work, with `--single-pool`.
    pub(crate) single_pool: Option<SinglePool>,
}

impl Server {
    /// Whether the front pool does the work of all pools.
    pub(crate) fn is_single_pool(&self) -> bool {
        self.single_pool.is_some()
    }
}

/// The work of the other pools, done on the calling thread, for comparison.
pub(crate) struct SinglePool {
    /// One for each thread; a thread takes one out while it works.
    indexers: Mutex<Vec<Indexer>>,
}

impl SinglePool {
    pub(crate) fn new(indexers: Vec<Indexer>) -> Self {
        Self { indexers: Mutex::new(indexers) }
    }

    pub(crate) fn look_up(&self, lookup: Lookup) -> Found {
        self.with(|indexer| look_up(&indexer.store, lookup))
    }

    pub(crate) fn index(&self, task: Task) -> Outcome {
        self.with(|indexer| indexer.run_all(task))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Indexer) -> R) -> R {
        let lock = || self.indexers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // One is free, because there is one for each thread, unless a panic lost some.
            if let Some(mut indexer) = { lock().pop() } {
                let result = work(&mut indexer);
                lock().push(indexer);
                return result;
            }
            std::thread::yield_now();
        }
    }
}
