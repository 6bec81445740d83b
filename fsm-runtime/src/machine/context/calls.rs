use std::sync::Arc;

use super::Cx;
use crate::call::job_sink::JobSink;
use crate::call::mailboxes::Answer;
use crate::call::semaphore::{NoPermit, Permit, QueuedPermit};
use crate::{Called, Kind, Service};

impl<'a, Msg: Send + 'static, On: Kind> Cx<'a, Msg, On> {
    /// Gives a job to the pool of route number `route`, or waits for room there. Generated code
    /// calls it when a `#[call(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.called = false;
        let Some(jobs) = self.entry::<Arc<dyn JobSink<S>>>(route) else { return };
        match jobs.semaphore().offer_or_queue(|| self.mailboxes.wakes(), self.key) {
            Ok(Ok(permit)) => self.submit(&**jobs, job, permit),
            Ok(Err(waiting)) => {
                let call = Call { job, waiting, jobs: Arc::clone(jobs) };
                self.mailboxes.set_outbound(self.key, Some(Box::new(call)));
            }
            Err(_) => self.mailboxes.set_outbound(self.key, Some(Box::new(Nowhere))),
        }
    }

    /// The same for a state with a `full` edge: it does not wait for room.
    #[doc(hidden)]
    pub fn try_call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.called = false;
        let Some(jobs) = self.entry::<Arc<dyn JobSink<S>>>(route) else { return };
        match jobs.semaphore().try_offer() {
            Ok(permit) => self.submit(&**jobs, job, permit),
            Err(NoPermit::Full) => self.mailboxes.set_outbound(self.key, Some(Box::new(Shed(job)))),
            Err(NoPermit::Closed) => self.mailboxes.set_outbound(self.key, Some(Box::new(Nowhere))),
        }
    }

    /// What has become of the call. Generated code asks in a `#[call(..)]` state.
    #[doc(hidden)]
    pub fn reply<S: Service>(&mut self) -> Called<S> {
        if std::mem::take(&mut self.called) {
            // It has left just now. Whoever answers wakes this afterwards.
            return Called::Waiting;
        }
        let outbound = match self.mailboxes.reply::<S::Reply>(self.key) {
            Answer::Reply(reply) => {
                self.taken += 1;
                return Called::Reply(reply);
            }
            Answer::Gone => return Called::Gone,
            Answer::None => return Called::Waiting,
            Answer::Outbound(outbound) => outbound,
        };
        let outbound = match outbound.downcast::<Call<S>>() {
            Ok(call) => return self.retry(*call),
            Err(outbound) => outbound,
        };
        match outbound.downcast::<Shed<S::Job>>() {
            Ok(shed) => Called::Full(shed.0),
            Err(_) => Called::Gone,
        }
    }

    fn submit<S: Service>(&mut self, jobs: &dyn JobSink<S>, job: S::Job, permit: Permit) {
        self.called = true;
        jobs.submit(job, permit, self.mailboxes.call(self.key));
    }

    /// Gives the job to the pool if there is room now.
    fn retry<S: Service>(&mut self, mut call: Call<S>) -> Called<S> {
        match call.waiting.ready() {
            None => self.mailboxes.set_outbound(self.key, Some(Box::new(call))),
            Some(Ok(permit)) => {
                let Call { job, jobs, .. } = call;
                self.submit(&*jobs, job, permit);
            }
            Some(Err(_)) => return Called::Gone,
        }
        Called::Waiting
    }

    /// The entry to the pool of a route. Where there is none the pool is gone.
    pub(super) fn entry<E: 'static>(&self, route: usize) -> Option<&'a E> {
        let entry = self.context.routes.get(route).and_then(|entry| entry.downcast_ref::<E>());
        if entry.is_none() {
            self.mailboxes.set_outbound(self.key, Some(Box::new(Nowhere)));
        }
        entry
    }
}

/// A job that waits for room.
struct Call<S: Service> {
    job: S::Job,
    waiting: QueuedPermit,
    jobs: Arc<dyn JobSink<S>>,
}

/// What there was no room for.
pub(super) struct Shed<T>(pub(super) T);

/// The pool is closed.
pub(super) struct Nowhere;
