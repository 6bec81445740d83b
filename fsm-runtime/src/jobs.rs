use std::sync::Arc;

use crate::Service;
use crate::credits::{Credit, Credits};
use crate::inbox::Return;

/// A pool that takes jobs, as its callers see it.
pub(crate) trait Jobs<S: Service>: Send + Sync {
    fn credits(&self) -> &Arc<Credits>;

    /// Takes a job, for which there is room.
    fn submit(&self, job: S::Job, credit: Credit, to: Return);
}
