use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Guarded, Injected, Next, Port, Slot, expire, schedule};
use crate::net::readiness::Readiness;
use crate::scheduler::port_core::Input;
use crate::scheduler::shared::Locked;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, drop_panic, finish};
use crate::{Ended, Key};

/// The only thread of a port.
pub(super) const ALONE: usize = 0;

/// The events of a poll.
pub(crate) trait EventSource {
    /// Whether there are ever any.
    const EVER: bool = true;

    /// Tells of the events that come after the first `from`, which counts on.
    fn events(&mut self, from: &mut usize, enqueue: impl FnMut(Key, Readiness));
}

impl<T: Task> Port<T> {
    /// Whether it has only one thread.
    #[inline]
    pub(crate) fn is_single_threaded(&self) -> bool {
        self.statuses.len() == 1
    }

    /// What a thread that is alone does next: it polls, until then, or ends.
    pub(crate) fn next_single_threaded(&self) -> Next<T> {
        self.shared.locked(|port| {
            let mut injected = self.injected();
            injected.up = false;
            if injected.closed {
                port.on(Input::Close);
                return Next::End;
            }
            let driver = port.core().queued() == 0 && injected.is_empty();
            injected.asleep = driver;
            let until = if driver { port.guarded().timers.next().unwrap_or(u64::MAX) } else { 0 };
            Next::Poll { until }
        })
    }

    /// Runs those whose events the poll tells of. `tick` looks at the clock before each turn: what comes
    /// behind a slow handler would be late before it has begun.
    pub(crate) fn serve_events(
        &self,
        pool: &str,
        events: &mut impl EventSource,
        scratch: &mut T::Scratch,
        mut tick: impl FnMut(&mut WorkerContext),
    ) {
        let (mut from, mut stopped) = (0, false);
        self.serve(pool, scratch, |port, scratch| {
            events.events(&mut from, |key, ready| {
                if stopped {
                    // What is left is closed, whatever it was told.
                } else if port.core().pass(key).is_some() {
                    stopped = self.turn(pool, port, (key, ready), scratch, &mut tick);
                } else {
                    self.event(port, key, ready);
                }
            });
        });
    }

    /// Runs those whose time has come and all that is queued, each once, then what is new in `injected`.
    pub(crate) fn serve_queue(
        &self,
        pool: &str,
        (now, injected): (u64, &mut Injected<T>),
        scratch: &mut T::Scratch,
        mut tick: impl FnMut(&mut WorkerContext),
    ) {
        let mut turns = None;
        self.serve(pool, scratch, |port, scratch| {
            let turns = turns.get_or_insert_with(|| {
                port.core().free();
                self.take_up(port, injected);
                expire(port, now);
                port.core().queued()
            });
            while *turns > 0 && !T::context(scratch).status.is_stopped() {
                *turns -= 1;
                let Some(key) = port.core().pass_next() else { break };
                let ready = port.core().get_mut(key).map(|slot| slot.mark.take_ready());
                let _ = self.turn(pool, port, (key, ready.unwrap_or_default()), scratch, &mut tick);
            }
            while let Some(job) = injected.jobs.pop_front() {
                self.first_turn(pool, port, job, scratch, &mut tick);
            }
            let mut again = std::mem::take(&mut port.guarded().again);
            for key in again.drain(..) {
                port.on(Input::Event(key));
            }
            port.guarded().again = again;
        });
    }

    /// Keeps the lock while `run` runs turns, and has it go on when one has panicked.
    fn serve(
        &self,
        pool: &str,
        scratch: &mut T::Scratch,
        mut run: impl FnMut(&mut Locked<'_, Slot<T>, Guarded>, &mut T::Scratch),
    ) {
        self.shared.locked(|port| {
            T::context(scratch).draining = port.guarded().draining;
            while let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(port, scratch))) {
                drop_panic(panic);
                self.panicked(pool, port, scratch);
            }
        });
        self.statuses[ALONE].rest();
    }

    /// Runs a turn in place. Says whether the port was seen to be closed; then there was none.
    #[inline]
    fn turn(
        &self,
        pool: &str,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        (key, ready): (Key, Readiness),
        scratch: &mut T::Scratch,
        tick: &mut impl FnMut(&mut WorkerContext),
    ) -> bool {
        let Some(slot) = port.core().get_mut(key) else { return false };
        let Some(task) = slot.task.as_mut() else { return false };
        let context = T::context(scratch);
        if context.status.is_stopped() {
            return true;
        }
        context.status.turn(key);
        tick(context);
        let after = task.turn(key, ready, scratch);
        if let TurnOutcome::Gone(why) = after {
            self.gone(pool, port, (key, why), scratch);
            return false;
        }
        let due = task.due();
        if due < slot.mark.scheduled() {
            schedule(port, key, due);
        }
        if after == TurnOutcome::Again {
            // Not before those that have had no turn yet.
            port.guarded().again.push(key);
        }
        false
    }

    #[cold]
    fn gone(
        &self,
        pool: &str,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        (key, why): (Key, Ended),
        scratch: &mut T::Scratch,
    ) {
        if let Some(task) = self.remove(port, key).and_then(|slot| slot.task) {
            finish(pool, key, task, why, scratch);
        }
    }

    /// A handler has panicked, which is the end of its connection or job alone (X8).
    #[cold]
    fn panicked(
        &self,
        pool: &str,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        scratch: &mut T::Scratch,
    ) {
        let status = &self.statuses[ALONE];
        status.unblock();
        let key = status.key();
        let slot = key.and_then(|key| port.core().get_mut(key));
        if let (Some(key), Some(task)) = (key, slot.and_then(|slot| slot.task.as_mut())) {
            task.recover(scratch);
            self.gone(pool, port, (key, Ended::Panicked), scratch);
        } else {
            // No code of the user's gets here: it is a bug of ours.
            tracing::error!(pool, "a thread of a pool panicked");
        }
    }
}

#[cfg(test)]
mod tests;
