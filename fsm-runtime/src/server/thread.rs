use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::PoolError;
use crate::call::service::PoolEntry;

/// What a thread of a pool runs, until the pool has ended.
pub(crate) type ThreadMain = Box<dyn FnOnce(ThreadStart) -> Result<(), PoolError> + Send>;

/// Called by each thread when it has ended, also by one that has panicked.
pub(crate) type OnThreadEnd = Arc<dyn Fn() + Send + Sync>;

/// What a thread is given when it starts.
pub(crate) struct ThreadStart {
    /// The entries to the pools that the machines call and hand over to, by the number of the route.
    pub(crate) routes: Arc<[PoolEntry]>,
    pub(crate) ready: ReadySender,
}

/// Reports once whether a thread is ready to serve.
///
/// A thread that is dropped without a report, because it has panicked, is not waited for: the
/// reports end when the last sender is dropped.
pub(crate) struct ReadySender(pub(crate) Sender<Result<(), PoolError>>);

impl ReadySender {
    pub(crate) fn report(self, result: Result<(), PoolError>) {
        // Nobody receives it if another thread has failed before.
        let _ = self.0.send(result);
    }
}
