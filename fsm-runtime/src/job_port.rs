use std::sync::Arc;

use crate::clock::Start;
use crate::control::Control;
use crate::credits::{Credit, Credits};
use crate::inbox::Return;
use crate::job::Job;
use crate::jobs::Jobs;
use crate::port::Port;
use crate::task::caught;
use crate::{Drive, Ended, JobMachine, Service};

/// The port of a pool that takes jobs of `S`, and runs them as machines `M`.
pub(crate) struct JobPort<M: JobMachine, H> {
    pub(crate) name: String,
    pub(crate) port: Arc<Port<Job<M, H>>>,
    pub(crate) control: Arc<Control>,
}

impl<S, M, H> Jobs<S> for JobPort<M, H>
where
    S: Service,
    M: JobMachine + Drive<H> + Service<Job = S::Job, Reply = S::Reply>,
    H: 'static,
{
    fn credits(&self) -> &Arc<Credits> {
        &self.control.credits
    }

    /// The start of the machine is the user's code: a panic in it is the end of this job alone.
    fn submit(&self, job: S::Job, credit: Credit, to: Return) {
        // It is given back when the job is done.
        credit.keep();
        self.control.counters.accepted();
        // That of whoever gives it would not do: it may have been busy for long since it looked.
        let now = || Start::of_process().now();
        let Some(job) = caught(|| Job::new(job, to, now)) else {
            tracing::error!(pool = self.name, "a job panicked at its start");
            self.control.ended(Ended::Panicked);
            return;
        };
        if let Err(job) = self.port.give(job) {
            // The pool has closed meanwhile: the caller learns it.
            if caught(|| drop(job)).is_none() {
                tracing::error!(pool = self.name, "a job panicked while it was dropped");
            }
            self.control.ended(Ended::Closed);
        }
    }
}
