use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use super::ending::Ending;
use super::idle_watch::{IdleWatch, IdleWorker};
use super::settings::Settings;
use super::worker::PythonWorker;
use crate::server::wire::{Raised, Wire};

/// The worker of a thread of the pool. The thread has it for the time of a job; between two jobs [`IdleWatch`] may put
/// another process in the place of one that has ended.
pub(super) struct WorkerThread<J, R>(Arc<Mutex<PythonWorker<J, R>>>);

impl<J: Wire + 'static, R: Wire + 'static> WorkerThread<J, R> {
    /// Starts the first process, and waits until it is ready.
    pub(super) fn start(
        settings: &Arc<Settings<J>>,
        ending: Ending,
        watch: &Arc<IdleWatch>,
    ) -> Result<Self, String> {
        let worker = Arc::<Mutex<PythonWorker<J, R>>>::new_cyclic(|me| {
            let (settings, watch) = (Arc::clone(settings), Arc::downgrade(watch));
            Mutex::new(PythonWorker::new(settings, ending, watch, me.clone()))
        });
        lock(&worker).start()?;
        Ok(Self(worker))
    }

    /// Has a job done. `None` if it has no answer, because the process has failed.
    pub(super) fn run(&self, job: &J) -> Option<Result<R, Raised>> {
        lock(&self.0).run(job)
    }
}

impl<J, R> Drop for WorkerThread<J, R> {
    /// The processes end here, also if [`IdleWatch`] has the worker in its hands.
    fn drop(&mut self) {
        lock(&self.0).end();
    }
}

impl<J: Wire + 'static, R: Wire + 'static> IdleWorker for Mutex<PythonWorker<J, R>> {
    fn replace(&self, process: u64) -> bool {
        match self.try_lock() {
            Ok(mut worker) => worker.replace(process),
            Err(TryLockError::Poisoned(worker)) => worker.into_inner().replace(process),
            Err(TryLockError::WouldBlock) => return false,
        }
        true
    }
}

fn lock<J, R>(worker: &Mutex<PythonWorker<J, R>>) -> MutexGuard<'_, PythonWorker<J, R>> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}
