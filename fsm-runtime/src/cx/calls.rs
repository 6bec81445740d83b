use std::sync::Arc;

use super::Cx;
use crate::credits::{Credit, NoCredit, Waiting};
use crate::inbox::Answer;
use crate::jobs::Jobs;
use crate::{Called, Service, Side};

impl<'a, Msg: Send + 'static, On: Side> Cx<'a, Msg, On> {
    /// Gives a job to the pool of route number `route`, or waits for room there. Generated code
    /// calls it when a `#[call(..)]` state without a `full` edge is entered.
    #[doc(hidden)]
    pub fn call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.called = false;
        let Some(jobs) = self.entry::<Arc<dyn Jobs<S>>>(route) else { return };
        match jobs.credits().offer_or_wait(|| self.inbox.wakes(), self.key) {
            Ok(Ok(credit)) => self.submit(&**jobs, job, credit),
            Ok(Err(waiting)) => {
                let call = Call { job, waiting, jobs: Arc::clone(jobs) };
                self.inbox.put_away(self.key, Some(Box::new(call)));
            }
            Err(_) => self.inbox.put_away(self.key, Some(Box::new(Nowhere))),
        }
    }

    /// The same for a state with a `full` edge: it does not wait for room.
    #[doc(hidden)]
    pub fn try_call<S: Service>(&mut self, route: usize, job: S::Job) {
        self.called = false;
        let Some(jobs) = self.entry::<Arc<dyn Jobs<S>>>(route) else { return };
        match jobs.credits().offer() {
            Ok(credit) => self.submit(&**jobs, job, credit),
            Err(NoCredit::Full) => self.inbox.put_away(self.key, Some(Box::new(Shed(job)))),
            Err(NoCredit::Closed) => self.inbox.put_away(self.key, Some(Box::new(Nowhere))),
        }
    }

    /// What has become of the call. Generated code asks in a `#[call(..)]` state.
    #[doc(hidden)]
    pub fn reply<S: Service>(&mut self) -> Called<S> {
        if std::mem::take(&mut self.called) {
            // It has left just now. Whoever answers wakes this afterwards.
            return Called::Waits;
        }
        let away = match self.inbox.reply::<S::Reply>(self.key) {
            Answer::Reply(reply) => {
                self.taken += 1;
                return Called::Reply(reply);
            }
            Answer::Gone => return Called::Gone,
            Answer::None => return Called::Waits,
            Answer::Away(away) => away,
        };
        let away = match away.downcast::<Call<S>>() {
            Ok(call) => return self.retry(*call),
            Err(away) => away,
        };
        match away.downcast::<Shed<S::Job>>() {
            Ok(shed) => Called::Full(shed.0),
            Err(_) => Called::Gone,
        }
    }

    fn submit<S: Service>(&mut self, jobs: &dyn Jobs<S>, job: S::Job, credit: Credit) {
        self.called = true;
        jobs.submit(job, credit, self.inbox.call(self.key));
    }

    /// Gives the job to the pool if there is room now.
    fn retry<S: Service>(&mut self, mut call: Call<S>) -> Called<S> {
        match call.waiting.ready() {
            None => self.inbox.put_away(self.key, Some(Box::new(call))),
            Some(Ok(credit)) => {
                let Call { job, jobs, .. } = call;
                self.submit(&*jobs, job, credit);
            }
            Some(Err(_)) => return Called::Gone,
        }
        Called::Waits
    }

    /// The entry to the pool of a route. Where there is none the pool is gone.
    pub(super) fn entry<E: 'static>(&self, route: usize) -> Option<&'a E> {
        let entry = self.desk.routes.get(route).and_then(|entry| entry.downcast_ref::<E>());
        if entry.is_none() {
            self.inbox.put_away(self.key, Some(Box::new(Nowhere)));
        }
        entry
    }
}

/// A job that waits for room.
struct Call<S: Service> {
    job: S::Job,
    waiting: Waiting,
    jobs: Arc<dyn Jobs<S>>,
}

/// What there was no room for.
pub(super) struct Shed<T>(pub(super) T);

/// The pool is closed.
pub(super) struct Nowhere;
