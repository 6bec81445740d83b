use std::any::Any;
use std::sync::Arc;

use crate::Service;
use crate::call::hand_off::{HandOffTarget, PendingHandOff};
use crate::call::job_sink::JobSink;
use crate::call::reply::ReplySender;
use crate::call::semaphore::{NoPermit, Permit, QueuedPermit};

/// A job or connection that a state gives to another pool, while it is still in its own pool.
pub(crate) enum Outbound {
    /// A job in the queue for a permit.
    Job(Box<dyn QueuedJob>),
    /// A connection in the queue for a permit.
    HandOff(Box<dyn QueuedHandOff>),
    /// A connection with a permit, which leaves when its turn ends.
    Leaving(PendingHandOff),
    /// The job or the seed that comes back, because the other pool is full and the state has a
    /// `full` edge.
    Refused(Box<dyn Any + Send>),
    /// Nothing: the other pool is closed.
    Gone,
}

/// The result of polling for a permit; `None` while it is queued.
type PolledPermit = Option<Result<Permit, NoPermit>>;

/// A job in the queue for a permit, without the type of its service.
pub(crate) trait QueuedJob: Send {
    fn poll_permit(&mut self) -> PolledPermit;
    fn submit(self: Box<Self>, permit: Permit, reply_to: ReplySender);
}

/// A connection in the queue for a permit, without the type of its seed.
pub(crate) trait QueuedHandOff: Send {
    fn poll_permit(&mut self) -> PolledPermit;
    fn with_permit(self: Box<Self>, permit: Permit) -> PendingHandOff;
}

struct WaitingJob<S: Service> {
    job: S::Job,
    permit: QueuedPermit,
    sink: Arc<dyn JobSink<S>>,
}

struct WaitingHandOff<Seed> {
    seed: Seed,
    permit: QueuedPermit,
    target: Arc<dyn HandOffTarget<Seed>>,
}

impl Outbound {
    pub(crate) fn queued_job<S: Service>(
        job: S::Job,
        permit: QueuedPermit,
        sink: Arc<dyn JobSink<S>>,
    ) -> Self {
        Self::Job(Box::new(WaitingJob { job, permit, sink }))
    }

    pub(crate) fn queued_hand_off<Seed: Send + 'static>(
        seed: Seed,
        permit: QueuedPermit,
        target: Arc<dyn HandOffTarget<Seed>>,
    ) -> Self {
        Self::HandOff(Box::new(WaitingHandOff { seed, permit, target }))
    }
}

impl<S: Service> QueuedJob for WaitingJob<S> {
    fn poll_permit(&mut self) -> PolledPermit {
        self.permit.poll()
    }

    fn submit(self: Box<Self>, permit: Permit, reply_to: ReplySender) {
        self.sink.submit(self.job, permit, reply_to);
    }
}

impl<Seed: Send + 'static> QueuedHandOff for WaitingHandOff<Seed> {
    fn poll_permit(&mut self) -> PolledPermit {
        self.permit.poll()
    }

    fn with_permit(self: Box<Self>, permit: Permit) -> PendingHandOff {
        PendingHandOff::new(self.target, self.seed, permit)
    }
}
