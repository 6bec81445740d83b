use std::sync::Arc;

use super::Cx;
use crate::call::job_sink::JobSink;
use crate::call::mailboxes::CallProgress;
use crate::call::outbound::Outbound;
use crate::call::semaphore::{NoPermit, Permit};
use crate::{Called, Kind, Service};

impl<'a, Msg: Send + 'static, Settings, K: Kind> Cx<'a, Msg, Settings, K> {
    /// Gives a job to the pool of the route, or queues it for a permit there. Generated code calls
    /// it when a `#[call(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.just_submitted = false;
        let Some(sink) = self.route_entry::<Arc<dyn JobSink<S>>>(route) else { return };
        match sink.semaphore().offer_or_queue(|| self.environment.mailboxes.waker(), self.key) {
            Ok(Ok(permit)) => self.give(&**sink, job, permit),
            Ok(Err(permit)) => {
                self.set_outbound(Outbound::queued_job(job, permit, Arc::clone(sink)));
            }
            Err(_) => self.set_outbound(Outbound::Gone),
        }
    }

    /// Gives a job to the pool of the route, or refuses it. Generated code calls it when a
    /// `#[call(..)]` state with a `full` edge is entered.
    #[doc(hidden)]
    pub fn try_call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.just_submitted = false;
        let Some(sink) = self.route_entry::<Arc<dyn JobSink<S>>>(route) else { return };
        match sink.semaphore().try_offer() {
            Ok(permit) => self.give(&**sink, job, permit),
            Err(NoPermit::Full) => self.set_outbound(Outbound::Refused(Box::new(job))),
            Err(NoPermit::Closed) => self.set_outbound(Outbound::Gone),
        }
    }

    /// The progress of the call; sends a queued job that has got its permit. Generated code calls
    /// it in a `#[call(..)]` state.
    #[doc(hidden)]
    pub fn reply<S: Service>(&mut self) -> Called<S> {
        if std::mem::take(&mut self.just_submitted) {
            // Saves a look into the mailbox, because the reply causes another turn.
            return Called::Waiting;
        }
        match self.environment.mailboxes.call_progress::<S::Reply>(self.key) {
            CallProgress::Reply(reply) => {
                self.received += 1;
                Called::Reply(reply)
            }
            CallProgress::Pending => Called::Waiting,
            CallProgress::Outbound(Outbound::Job(mut job)) => match job.poll_permit() {
                None => {
                    self.set_outbound(Outbound::Job(job));
                    Called::Waiting
                }
                Some(Ok(permit)) => {
                    self.just_submitted = true;
                    job.submit(permit, self.environment.mailboxes.begin_call(self.key));
                    Called::Waiting
                }
                Some(Err(_)) => Called::Gone,
            },
            CallProgress::Outbound(Outbound::Refused(job)) => {
                job.downcast().map_or(Called::Gone, |job| Called::Full(*job))
            }
            CallProgress::Outbound(
                Outbound::HandOff(_) | Outbound::Leaving(_) | Outbound::Gone,
            )
            | CallProgress::Gone => Called::Gone,
        }
    }

    fn give<S: Service>(&mut self, sink: &dyn JobSink<S>, job: S::Job, permit: Permit) {
        self.just_submitted = true;
        sink.submit(job, permit, self.environment.mailboxes.begin_call(self.key));
    }

    /// The entry to the pool of a route. Without an entry of this type the call fails with `gone`.
    pub(super) fn route_entry<E: 'static>(&self, route: usize) -> Option<&'a E> {
        let entry = self.context.routes.get(route).and_then(|entry| entry.downcast_ref::<E>());
        if entry.is_none() {
            self.set_outbound(Outbound::Gone);
        }
        entry
    }

    pub(super) fn set_outbound(&self, outbound: Outbound) {
        self.environment.mailboxes.set_outbound(self.key, outbound);
    }
}
