use std::sync::Arc;

use crate::Service;
use crate::call::mailboxes::ReplySender;
use crate::call::semaphore::{Permit, Semaphore};

/// A pool that takes jobs, as its callers see it.
pub(crate) trait JobSink<S: Service>: Send + Sync {
    fn semaphore(&self) -> &Arc<Semaphore>;

    /// Takes a job, for which there is room.
    fn submit(&self, job: S::Job, permit: Permit, to: ReplySender);
}
