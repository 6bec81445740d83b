use std::sync::MutexGuard;

use super::{Injected, InjectedTask, SingleThread, SingleThreadState, TaskSlot, remove};
use crate::clock::TimeSource;
use crate::net::readiness::Readiness;
use crate::scheduler::executor::Executor;
use crate::scheduler::task::{Task, TurnOutcome};
use crate::{Ended, Key};

/// Turns under one lock. When it is dropped the thread shows that it runs no handler.
pub(super) struct Round<'a, 'e, T: Task, C> {
    pub(super) port: &'a SingleThread<T>,
    pub(super) state: MutexGuard<'a, SingleThreadState<T>>,
    pub(super) executor: &'a mut Executor<'e, T, C>,
}

impl<T: Task, C: TimeSource> Round<'_, '_, T, C> {
    /// Runs the turn that an event asks for, unless packets are before it: then it is queued.
    #[inline]
    pub(super) fn event(&mut self, key: Key, ready: Readiness) {
        if self.executor.is_stopped() {
            // The port is closed, and its last thread sees to those that are left.
        } else if self.state.core.begin_in_place(key).is_some() {
            self.turn(key, ready);
        } else {
            self.enqueue(key, ready);
        }
    }

    fn enqueue(&mut self, key: Key, ready: Readiness) {
        if let Some(slot) = self.state.core.get_mut(key) {
            slot.state.add_readiness(ready);
        }
        if !self.state.core.enqueue(key) {
            self.port.common.counters.stale();
        }
    }

    /// Runs the turn of the packet at the head of the queue, if there is one.
    pub(super) fn next_packet(&mut self) -> bool {
        let Some(key) = self.state.core.begin_next_in_place() else { return false };
        let slot = self.state.core.get_mut(key);
        let ready = slot.map(|slot| slot.state.take_ready()).unwrap_or_default();
        self.turn(key, ready);
        true
    }

    /// Runs a turn in place.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call more for each event is counted")]
    fn turn(&mut self, key: Key, ready: Readiness) {
        let SingleThreadState { core, timers, again, .. } = &mut *self.state;
        let Some(slot) = core.get_mut(key) else { return };
        let Some(task) = slot.task.as_mut() else { return };
        let outcome = self.executor.run_turn(task, key, ready);
        if let TurnOutcome::Ended(why) = outcome {
            self.gone(key, why);
            return;
        }
        let due = task.due();
        if slot.state.is_later_than(due) {
            timers.schedule(core, key, due);
        }
        if outcome == TurnOutcome::Again {
            again.push(key);
        }
    }

    #[cold]
    fn gone(&mut self, key: Key, why: Ended) {
        let SingleThreadState { core, timers, .. } = &mut *self.state;
        let Some(slot) = remove(core, timers, key) else { return };
        self.port.common.closed();
        if let Some(task) = slot.task {
            self.executor.end(key, task, why);
        }
    }

    /// Takes up what was injected, except for jobs that have had no turn.
    pub(super) fn take_up(&mut self, injected: &mut Injected<T>) {
        // An empty drain would cost something, too.
        if !injected.tasks.is_empty() {
            for InjectedTask { task, ready } in injected.tasks.drain(..) {
                if let Ok(key) = self.state.open(task, ready) {
                    self.state.core.enqueue(key);
                }
            }
        }
        if !injected.keys.is_empty() {
            for key in injected.keys.drain(..) {
                if !self.state.core.enqueue(key) {
                    self.port.common.counters.stale();
                }
            }
        }
    }

    /// Runs the first turn of a job. Most jobs are over then, and need no slot.
    pub(super) fn first_turn(&mut self, mut job: T) {
        let key = self.state.core.reserve();
        if self.executor.is_stopped() {
            self.settle(key, job);
            return;
        }
        let outcome = self.executor.run_turn(&mut job, key, Readiness::NONE);
        if let TurnOutcome::Ended(why) = outcome {
            self.executor.end(key, job, why);
            return;
        }
        let due = job.due();
        self.settle(key, job);
        let SingleThreadState { core, timers, again, .. } = &mut *self.state;
        if due != u64::MAX {
            timers.schedule(core, key, due);
        }
        if outcome == TurnOutcome::Again {
            again.push(key);
        }
    }

    /// Gives a job its slot.
    fn settle(&mut self, key: Key, job: T) {
        self.port.common.opened();
        self.state.core.open_at(key, TaskSlot::new(job, Readiness::NONE));
    }
}

impl<T: Task, C> Drop for Round<'_, '_, T, C> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.port.status().set_idle();
        }
    }
}
