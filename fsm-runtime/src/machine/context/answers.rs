use super::Cx;
use crate::outgoing::jobs::JobsInHand;
use crate::{Connection, Service};

impl<'a, Msg, Settings> Cx<'a, Msg, Settings, Connection> {
    /// Takes the next job for this connection, if nothing is to be read before: a connection that the peer has
    /// ended takes none. Generated code calls it in a `#[job]` state.
    #[doc(hidden)]
    pub fn take_job<S: Service>(&mut self) -> Option<S::Job> {
        if self.stream.is_readable() {
            return None;
        }
        let job = self.jobs::<S>()?.take(self.key)?;
        self.stream.set_heard(false);
        self.received += 1;
        Some(job)
    }

    /// Replies to the job that this connection has in hand. Generated code calls it for a verdict with a
    /// reply.
    #[doc(hidden)]
    pub fn answer<S: Service>(&mut self, reply: S::Reply) {
        if let (Some(outgoing), Some(jobs)) = (&self.environment.outgoing, self.jobs::<S>()) {
            jobs.finish(self.key, reply);
            // A reply that says that the target is gone does not show that the target works.
            if self.stream.has_heard() {
                outgoing.answered(self.key);
            }
        }
    }

    /// Notes that this connection leaves a `#[job]` state without a job. Generated code calls it.
    #[doc(hidden)]
    pub fn takes_no_job(&mut self) {
        self.environment.takes_no_job(self.key);
    }

    fn jobs<S: Service>(&self) -> Option<&'a JobsInHand<S>> {
        self.environment.outgoing.as_ref()?.jobs.as_ref()?.as_any().downcast_ref()
    }
}
