use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{Guarded, Port, Slot, SlotState, schedule};
use crate::net::readiness::Readiness;
use crate::scheduler::shared::Locked;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, caught, finish};
use crate::{Ended, Key};

/// What comes from elsewhere for a port with one thread.
///
/// Such a thread keeps the port's lock while it runs handlers, since nobody else could do anything
/// with what that guards: so it runs connections in place, and pays for one lock a poll and not two
/// a turn. Whoever has something for it, and that may be a handler that it runs, leaves it here.
///
/// The thread takes it all at once when it is back from its poll.
pub(crate) struct Injected<T> {
    pub(super) keys: Vec<Key>,
    pub(super) tasks: Vec<(T, Readiness)>,
    pub(super) jobs: VecDeque<T>,
    /// It sleeps in its poll, or is about to, and has seen what was here.
    pub(super) asleep: bool,
    /// It is back from its poll.
    pub(super) up: bool,
    pub(super) closed: bool,
}

impl<T> Default for Injected<T> {
    fn default() -> Self {
        let (keys, tasks, jobs) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { keys, tasks, jobs, asleep: false, up: false, closed: false }
    }
}

impl<T> Injected<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tasks.is_empty() && self.jobs.is_empty()
    }

    /// Moves it all to the thread. The memory of what that is done with is used again.
    #[inline]
    fn move_to(&mut self, thread: &mut Self) {
        if !thread.is_empty() {
            // A bug of ours kept it from its work.
            self.append_to(thread);
            return;
        }
        if !self.jobs.is_empty() {
            std::mem::swap(&mut self.jobs, &mut thread.jobs);
        }
        if !self.keys.is_empty() {
            std::mem::swap(&mut self.keys, &mut thread.keys);
        }
        if !self.tasks.is_empty() {
            std::mem::swap(&mut self.tasks, &mut thread.tasks);
        }
    }

    #[cold]
    fn append_to(&mut self, thread: &mut Self) {
        thread.keys.append(&mut self.keys);
        thread.tasks.append(&mut self.tasks);
        thread.jobs.append(&mut self.jobs);
    }
}

impl<T: Task> Port<T> {
    #[inline]
    pub(super) fn injected(&self) -> MutexGuard<'_, Injected<T>> {
        self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves something for the thread, and wakes it if it sleeps.
    #[inline]
    pub(super) fn post(&self, leave: impl FnOnce(&mut Injected<T>)) {
        let mut injected = self.injected();
        leave(&mut injected);
        // Once is enough.
        let wake = std::mem::replace(&mut injected.asleep, false);
        drop(injected);
        if wake {
            self.interrupt();
        }
    }

    /// The thread is back from its poll, and takes what was left for it meanwhile. From here on it
    /// comes by itself.
    #[inline]
    pub(crate) fn take_injected(&self, into: &mut Injected<T>) {
        let mut injected = self.injected();
        injected.asleep = false;
        injected.up = true;
        injected.move_to(into);
    }

    pub(super) fn inject_task(&self, task: T, ready: Readiness) -> Result<(), T> {
        let mut refused = None;
        self.post(|injected| {
            if injected.closed {
                refused = Some(task);
            } else {
                self.load.fetch_add(1, Ordering::Relaxed);
                injected.tasks.push((task, ready));
            }
        });
        refused.map_or(Ok(()), Err)
    }

    /// Takes up a job, which has a turn soon; it comes back if the port is closed.
    pub(crate) fn give(&self, job: T) -> Result<(), T> {
        if !self.is_single_threaded() {
            return self.open(job, Readiness::NONE);
        }
        let mut refused = None;
        self.post(|injected| {
            if injected.closed {
                refused = Some(job);
            } else {
                injected.jobs.push_back(job);
            }
        });
        refused.map_or(Ok(()), Err)
    }

    /// What was left for the thread joins what it has, except for jobs that have had no turn.
    pub(super) fn take_up(
        &self,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        injected: &mut Injected<T>,
    ) {
        // To drain nothing takes its time, too.
        if !injected.tasks.is_empty() {
            for (task, ready) in injected.tasks.drain(..) {
                if let Ok(key) = Self::open_locked(port, task, ready) {
                    port.core().enqueue(key);
                }
            }
        }
        if !injected.keys.is_empty() {
            for key in injected.keys.drain(..) {
                if !port.core().enqueue(key) {
                    self.counters.stale();
                }
            }
        }
    }

    /// Runs the first turn of a job. Most jobs are over then, and need no slot.
    pub(super) fn first_turn(
        &self,
        pool: &str,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        mut job: T,
        scratch: &mut T::Scratch,
        tick: &mut impl FnMut(&mut WorkerContext),
    ) {
        let key = port.core().reserve();
        let context = T::context(scratch);
        if context.status.is_stopped() {
            self.settle(port, key, job);
            return;
        }
        context.status.turn(key);
        tick(context);
        // A panic of a handler ends that job alone (X8).
        let after = caught(|| job.turn(key, Readiness::NONE, scratch)).unwrap_or_else(|| {
            T::context(scratch).status.unblock();
            job.recover(scratch);
            TurnOutcome::Gone(Ended::Panicked)
        });
        if let TurnOutcome::Gone(why) = after {
            finish(pool, key, job, why, scratch);
            return;
        }
        let due = job.due();
        self.settle(port, key, job);
        if due != u64::MAX {
            schedule(port, key, due);
        }
        if after == TurnOutcome::Again {
            port.guarded().again.push(key);
        }
    }

    /// Gives a job its slot.
    pub(super) fn settle(&self, port: &mut Locked<'_, Slot<T>, Guarded>, key: Key, job: T) {
        self.load.fetch_add(1, Ordering::Relaxed);
        port.core().open_at(key, Slot { mark: SlotState::new(Readiness::NONE), task: Some(job) });
    }
}
