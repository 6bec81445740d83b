use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use crate::Service;
use crate::outgoing::jobs::{ConnectionJobs, JobsInHand};

/// The service of a machine whose connections answer jobs: what [`Machine::answers`](crate::Machine::answers)
/// returns.
pub struct Answers {
    /// The type of the service.
    pub(crate) service: TypeId,
    /// Makes the queue of jobs of a pool with at most this number of them.
    pub(crate) jobs: fn(usize) -> Arc<dyn ConnectionJobs>,
}

impl Answers {
    /// The service `S`.
    pub fn jobs_of<S: Service>() -> Self {
        Self { service: TypeId::of::<S>(), jobs: |limit| Arc::new(JobsInHand::<S>::new(limit)) }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
