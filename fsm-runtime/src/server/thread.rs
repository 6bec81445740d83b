use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::PoolError;
use crate::call::service::PoolEntry;

/// The main function of a thread of a pool. It returns when the pool has ended.
pub(crate) type ThreadMain = Box<dyn FnOnce(ThreadStart) -> Result<(), PoolError> + Send>;

/// Called by each thread when it has ended, also by one that has panicked.
pub(crate) type OnThreadEnd = Arc<dyn Fn() + Send + Sync>;

/// The arguments of a [`ThreadMain`].
pub(crate) struct ThreadStart {
    /// The entries to the pools that the machines call and hand over to, by the number of the
    /// route.
    pub(crate) routes: Arc<[PoolEntry]>,
    pub(crate) ready: ReadySender,
}

/// Reports once whether a thread is ready to serve.
///
/// If the thread panics first, this is dropped without a report. The receiver does not wait for it,
/// because it stops when the last sender is dropped.
pub(crate) struct ReadySender(pub(crate) Sender<Result<(), PoolError>>);

impl ReadySender {
    pub(crate) fn report(self, result: Result<(), PoolError>) {
        // The receiver is gone if another thread has failed before.
        let _ = self.0.send(result);
    }
}
