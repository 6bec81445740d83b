use std::sync::MutexGuard;

use super::{Injected, InjectedTask, SingleThread, SingleThreadState, TaskSlot, remove};
use crate::clock::TimeSource;
use crate::net::readiness::Readiness;
use crate::scheduler::executor::Executor;
use crate::scheduler::journeys::{JourneyWatch, within};
use crate::scheduler::task::{Task, TurnOutcome};
use crate::{Ended, Key};

/// Turns under one lock. Its drop sets the status of the thread to idle.
pub(super) struct Round<'a, 'e, T: Task, C> {
    pub(super) port: &'a SingleThread<T>,
    pub(super) state: MutexGuard<'a, SingleThreadState<T>>,
    pub(super) executor: &'a mut Executor<'e, T, C>,
}

impl<'e, T: Task, C: TimeSource> Round<'_, 'e, T, C> {
    /// Runs the turn that an event asks for. If the queue is not empty, the event becomes a packet in it.
    #[inline]
    pub(super) fn event(&mut self, key: Key, ready: Readiness) {
        if self.executor.is_stopped() {
            // The port is closed, and the thread ends the remaining connections.
        } else if self.state.core.begin_in_place(key).is_some() {
            self.turn(key, ready, Executor::run_turn_here);
        } else {
            self.enqueue(key, ready);
        }
    }

    pub(super) fn enqueue(&mut self, key: Key, ready: Readiness) {
        if let Some(slot) = self.state.core.get_mut(key) {
            slot.state.add_readiness(ready);
        }
        if !self.state.core.enqueue(key) {
            self.port.common.counters.stale();
        }
    }

    /// Runs the turn of the packet at the head of the queue, if there is one.
    pub(super) fn next_packet(&mut self) -> bool {
        let next = self.state.core.begin_next_in_place(|slot| slot.state.take_ready());
        let Some((key, ready)) = next else { return false };
        self.turn(key, ready, Executor::run_turn);
        true
    }

    /// Adds what was injected and the keys whose deadlines have passed by `now`.
    #[inline]
    pub(super) fn begin_queue(&mut self, now: u64, injected: &mut Injected<T>) {
        self.state.core.free_closed_slots();
        self.add_injected(injected);
        let SingleThreadState { core, timers, .. } = &mut *self.state;
        timers.expire(core, now);
    }

    /// Puts those whose budget was used up behind the keys that have had no turn yet (X4).
    #[inline]
    pub(super) fn end_queue(&mut self) {
        let SingleThreadState { core, again, .. } = &mut *self.state;
        for key in again.drain(..) {
            core.enqueue(key);
        }
    }

    /// Runs the turn of the packet at the head of the queue, as part of its journey.
    pub(super) fn watched_packet(&mut self, journeys: &mut JourneyWatch) -> bool {
        let Some(key) = self.state.core.head() else { return false };
        let now = T::context(self.executor.scratch).instant;
        let slot = self.state.core.get_mut(key);
        let span = slot
            .and_then(|slot| journeys.before(key, slot.task.as_ref()?, slot.state.ready(), now));
        within(span.as_ref(), || self.next_packet());
        if span.is_some() {
            let slot = self.state.core.get_mut(key);
            let state = self.port.status().state();
            journeys.after(key, slot.and_then(|slot| slot.task.as_ref()), state);
        }
        true
    }

    /// Runs the first turn of a job, as part of the journey that it belongs to.
    pub(super) fn watched_job(&mut self, job: T, journeys: &mut JourneyWatch) {
        let now = T::context(self.executor.scratch).instant;
        let key = self.state.core.reserve();
        let span = journeys.before(key, &job, Readiness::NONE, now);
        within(span.as_ref(), || self.first_turn_of(key, job));
        if span.is_some() {
            let slot = self.state.core.get_mut(key);
            let state = self.port.status().state();
            journeys.after(key, slot.and_then(|slot| slot.task.as_ref()), state);
        }
    }

    /// Runs a turn in place, by `run`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call more for each event is counted")]
    fn turn(
        &mut self,
        key: Key,
        ready: Readiness,
        run: impl FnOnce(&mut Executor<'e, T, C>, &mut T, Key, Readiness) -> TurnOutcome,
    ) {
        let SingleThreadState { core, timers, again, .. } = &mut *self.state;
        let Some(slot) = core.get_mut(key) else { return };
        let Some(task) = slot.task.as_mut() else { return };
        let outcome = run(self.executor, task, key, ready);
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
    #[inline]
    pub(super) fn first_turn(&mut self, job: T) {
        let key = self.state.core.reserve();
        self.first_turn_of(key, job);
    }

    fn first_turn_of(&mut self, key: Key, mut job: T) {
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
