use std::sync::MutexGuard;

use super::{Injected, InjectedTask, SingleThread, SingleThreadState, TaskSlot, remove};
use crate::clock::TimeSource;
use crate::net::readiness::Readiness;
use crate::scheduler::executor::Executor;
use crate::scheduler::task::{Task, TurnOutcome};
use crate::{Ended, Key};

/// Turns under one lock. Its drop sets the status of the thread to idle.
pub(super) struct Round<'a, 'e, T: Task, C> {
    pub(super) port: &'a SingleThread<T>,
    pub(super) state: MutexGuard<'a, SingleThreadState<T>>,
    pub(super) executor: &'a mut Executor<'e, T, C>,
}

impl<T: Task, C: TimeSource> Round<'_, '_, T, C> {
    /// Runs the turn that an event asks for. If the queue is not empty, the event becomes a packet in it.
    #[inline]
    pub(super) fn event(&mut self, key: Key, ready: Readiness) {
        if self.executor.is_stopped() {
            // The port is closed, and the thread ends the remaining connections.
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
            self.end(key, why);
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
    fn end(&mut self, key: Key, why: Ended) {
        let SingleThreadState { core, timers, .. } = &mut *self.state;
        let Some(slot) = remove(core, timers, key) else { return };
        self.port.common.closed();
        if let Some(task) = slot.task {
            self.executor.end(key, task, why);
        }
    }

    /// Adds the injected connections and packets. Jobs wait for their first turn.
    pub(super) fn add_injected(&mut self, injected: &mut Injected<T>) {
        // The checks cost less than an empty `drain`.
        if !injected.tasks.is_empty() {
            for InjectedTask { task, ready } in injected.tasks.drain(..) {
                if let Ok(key) = self.state.open(task, ready) {
                    self.state.core.enqueue(key);
                }
            }
        }
        if !injected.keys.is_empty() {
            let mut walks = false;
            for key in injected.keys.drain(..) {
                if !self.state.core.enqueue(key) {
                    walks |= self.not_open(key);
                }
            }
            if walks {
                self.port.step_walks(&mut self.state.core, &injected.jobs);
            }
        }
    }

    /// Counts a packet that was for nobody. Returns whether it asks for a walk.
    #[cold]
    fn not_open(&mut self, key: Key) -> bool {
        let walks = self.port.is_walk(key);
        if !walks {
            self.port.common.counters.stale();
        }
        walks
    }

    /// Runs the first turn of a job. Most jobs end with it, and need no slot.
    pub(super) fn first_turn(&mut self, mut job: T) {
        let key = self.state.core.reserve();
        if self.executor.is_stopped() {
            self.open_slot(key, job);
            return;
        }
        let outcome = self.executor.run_turn(&mut job, key, Readiness::NONE);
        if let TurnOutcome::Ended(why) = outcome {
            self.executor.end(key, job, why);
            return;
        }
        let due = job.due();
        self.open_slot(key, job);
        let SingleThreadState { core, timers, again, .. } = &mut *self.state;
        if due != u64::MAX {
            timers.schedule(core, key, due);
        }
        if outcome == TurnOutcome::Again {
            again.push(key);
        }
    }

    /// Puts a job into the slot of its key.
    fn open_slot(&mut self, key: Key, job: T) {
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
