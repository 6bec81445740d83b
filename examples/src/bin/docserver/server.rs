//! What the pools share.

use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::{Ask, Found, look};
use crate::index::{Done, Indexer, Task};
use crate::store::Directory;

/// What all clients of the front pool share.
pub(crate) struct Server {
    pub(crate) directory: Arc<Directory>,
    /// The largest document, in bytes.
    pub(crate) max_size: u64,
    /// What the front pool does by itself where it is alone.
    pub(crate) alone: Option<Alone>,
}

impl Server {
    /// Whether the front pool does everything, only to compare.
    pub(crate) fn single(&self) -> bool {
        self.alone.is_some()
    }
}

/// The work of the other pools, done by whoever calls.
pub(crate) struct Alone {
    /// As many as there are threads, each for one of them at a time.
    indexers: Mutex<Vec<Indexer>>,
}

impl Alone {
    pub(crate) fn new(indexers: Vec<Indexer>) -> Self {
        Self { indexers: Mutex::new(indexers) }
    }

    pub(crate) fn ask(&self, ask: Ask) -> Found {
        self.with(|indexer| look(&indexer.store, ask))
    }

    pub(crate) fn index(&self, task: Task) -> Done {
        self.with(|indexer| indexer.all(task))
    }

    fn with<R>(&self, work: impl FnOnce(&mut Indexer) -> R) -> R {
        let lock = || self.indexers.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // There are as many as threads, so that one is free unless a panic has lost some.
            if let Some(mut indexer) = { lock().pop() } {
                let result = work(&mut indexer);
                lock().push(indexer);
                return result;
            }
            std::thread::yield_now();
        }
    }
}
