//! Journeys: what a connection does from rest to rest, as spans of `tracing`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::Span;
use tracing::field::Empty;

use crate::Key;
use crate::clock::{Moment, time_since};
use crate::net::readiness::Readiness;
use crate::panics::caught;
use crate::scheduler::task::Task;
use crate::stats::JourneyCounts;

/// The journeys that are under way in all pools of the process, and the jobs that they wait for.
#[derive(Debug, Default)]
pub(crate) struct JourneysUnderWay {
    /// Some pool samples journeys.
    sampled: AtomicBool,
    /// The number of entries, so that the map is locked only when there are some.
    count: AtomicUsize,
    journeys: Mutex<HashMap<Key, Journey>>,
}

/// A journey of a connection, or a job in it.
#[derive(Clone, Debug)]
struct Journey {
    span: Span,
    began: Moment,
    is_job: bool,
}

impl JourneysUnderWay {
    /// Makes pools that start from now on look for the jobs of journeys.
    pub(crate) fn sample(&self) {
        self.sampled.store(true, Ordering::Release);
    }

    pub(crate) fn are_sampled(&self) -> bool {
        self.sampled.load(Ordering::Acquire)
    }

    fn journeys(&self) -> MutexGuard<'_, HashMap<Key, Journey>> {
        self.journeys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn span(&self, key: Key) -> Option<Span> {
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        self.journeys().get(&key).map(|journey| journey.span.clone())
    }

    fn begin(&self, key: Key, journey: Journey) {
        let mut journeys = self.journeys();
        journeys.insert(key, journey);
        self.count.store(journeys.len(), Ordering::Release);
    }

    fn end(&self, key: Key) -> Option<Journey> {
        let mut journeys = self.journeys();
        let ended = journeys.remove(&key);
        self.count.store(journeys.len(), Ordering::Release);
        ended
    }
}

/// A thread's view of journeys, which looks before and after each turn. Threads of pools without journeys have
/// none, and run another loop.
pub(crate) struct JourneyWatch {
    /// The name of the pool.
    pub(crate) pool: String,
    pub(crate) under_way: Arc<JourneysUnderWay>,
    pub(crate) counts: Arc<JourneyCounts>,
    /// One journey in so many is measured; `None` in a pool that only runs jobs of others.
    pub(crate) one_in: Option<u32>,
    /// The journeys until the next one that is measured.
    pub(crate) skips: u32,
}

impl JourneyWatch {
    /// Looks before a turn. Returns the span of the journey that the turn belongs to.
    pub(crate) fn before<T: Task>(
        &mut self,
        key: Key,
        task: &T,
        ready: Readiness,
        now: Moment,
    ) -> Option<Span> {
        if let Some(span) = self.under_way.span(key) {
            return Some(span);
        }
        if let Some(caller) = task.caller().filter(|caller| caller.number > 0) {
            let parent = self.under_way.span(caller.key)?;
            return Some(self.begin(key, task, now, Some(&parent)));
        }
        // A peer that leaves asks for nothing.
        let is_asked = ready.has(Readiness::READ) && !ready.has(Readiness::MAYBE_EOF);
        let one_in = self.one_in.filter(|_| is_asked && task.is_at_rest())?;
        if self.skips > 0 {
            self.skips -= 1;
            return None;
        }
        self.skips = one_in - 1;
        Some(self.begin(key, task, now, None))
    }

    fn begin<T: Task>(&self, key: Key, task: &T, began: Moment, parent: Option<&Span>) -> Span {
        let (pool, from) = (&*self.pool, T::SPEC.states[task.state()].name);
        // A subscriber may panic.
        let span = caught(|| match parent {
            None => tracing::info_span!(
                parent: None, "journey", pool, %key, from, to = Empty, seconds = Empty
            ),
            Some(parent) => tracing::info_span!(
                parent: parent, "job", pool, %key, from, to = Empty, seconds = Empty
            ),
        });
        let span = span.unwrap_or_else(Span::none);
        let is_job = parent.is_some();
        self.under_way.begin(key, Journey { span: span.clone(), began, is_job });
        span
    }

    /// Looks after a turn that belongs to a journey. `task` is `None` if it has ended; `state` is the index of the
    /// last state whose handler was to run.
    pub(crate) fn after<T: Task>(&self, key: Key, task: Option<&T>, state: usize) {
        let goes_on = task.is_some_and(|task| !task.is_at_rest() && !task.closes());
        if !goes_on {
            let to = task.map_or(state, Task::state);
            self.end(key, T::SPEC.states[to].name);
        }
    }

    /// Ends the journey of a connection or job that its port gives up.
    pub(crate) fn given_up<T: Task>(&self, key: Key, task: &T) {
        self.end(key, T::SPEC.states[task.state()].name);
    }

    fn end(&self, key: Key, to: &'static str) {
        let Some(Journey { span, began, is_job }) = self.under_way.end(key) else { return };
        let lasted = time_since(began);
        if !is_job {
            self.counts.add(lasted);
        }
        // An event that is lost.
        let _: Option<()> = caught(|| {
            span.record("to", to);
            span.record("seconds", lasted.as_secs_f64());
            drop(span);
        });
    }
}

/// Runs a turn in a span, so that the events of its handlers are in it.
pub(crate) fn within<R>(span: Option<&Span>, turn: impl FnOnce() -> R) -> R {
    let entered = span.and_then(|span| caught(|| span.clone().entered()));
    let result = turn();
    let _: Option<()> = caught(|| drop(entered));
    result
}
