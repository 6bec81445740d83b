use std::sync::Arc;

use crate::call::job_sink::JobSink;
use crate::call::reply::ReplySender;
use crate::call::semaphore::{Permit, Semaphore};
use crate::clock::TimeSource;
use crate::job::JobTask;
use crate::lifecycle::pool_state::PoolState;
use crate::panics::caught;
use crate::scheduler::port::Port;
use crate::{Drive, Ended, JobMachine, Service};

/// The port of a pool of jobs, which runs them as machines `M`.
pub(crate) struct JobPort<M: JobMachine, H> {
    pub(crate) name: String,
    pub(crate) port: Arc<Port<JobTask<M, H>>>,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) settings: Arc<M::Settings>,
    pub(crate) time: Arc<dyn TimeSource + Send + Sync>,
}

impl<S, M, H> JobSink<S> for JobPort<M, H>
where
    S: Service,
    M: JobMachine + Drive<H> + Service<Job = S::Job, Reply = S::Reply>,
    H: 'static,
{
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.pool_state.permits
    }

    /// Starts the machine of the job, and gives it to the port. The start is the user's code; a panic in it
    /// ends this job alone.
    fn submit(&self, job: S::Job, permit: Permit, reply_to: ReplySender) {
        // `PoolState::released` releases the permit when the job is done.
        permit.forget();
        self.pool_state.counters.accepted();
        // Reads the clock here: the caller's time may be old, because its handler may have run for long.
        let now = || self.time.now().millis;
        let Some(job) = caught(|| JobTask::new(job, reply_to, self.settings.as_ref(), now)) else {
            crate::log::error!(pool = self.name, "a job panicked at its start");
            self.pool_state.ended(Ended::Panicked);
            return;
        };
        if let Err(job) = self.port.submit(job) {
            // The pool has closed meanwhile. The drop of the job tells the caller.
            if caught(|| drop(job)).is_none() {
                crate::log::error!(pool = self.name, "a job panicked while it was dropped");
            }
            self.pool_state.ended(Ended::Closed);
        }
    }
}
