use std::sync::Arc;

use crate::Service;
use crate::call::reply::ReplySender;
use crate::call::semaphore::{Permit, Semaphore};

/// A pool that takes jobs of `S` from other pools and threads.
pub(crate) trait JobSink<S: Service>: Send + Sync {
    /// The permits of the pool, one for each job.
    fn semaphore(&self) -> &Arc<Semaphore>;

    /// Takes a job that has a permit.
    fn submit(&self, job: S::Job, permit: Permit, reply_to: ReplySender);
}
