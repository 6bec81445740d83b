use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Guarded, Next, Port, Posted, Slot, expire, schedule};
use crate::core::Input;
use crate::link::Ready;
use crate::shell::Locked;
use crate::task::{After, Desk, Task, drop_panic};
use crate::worker::finish;
use crate::{Ended, Key};

/// The only thread of a port.
pub(super) const ALONE: usize = 0;

/// The events of a poll.
pub(crate) trait Tells {
    /// Whether there are ever any.
    const EVER: bool = true;

    /// Tells of the events that come after the first `from`, which counts on.
    fn events(&mut self, from: &mut usize, told: impl FnMut(Key, Ready));
}

impl<T: Task> Port<T> {
    /// Whether it has only one thread.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.heartbeats.len() == 1
    }

    /// What a thread that is alone does next: it polls, until then, or ends.
    pub(crate) fn next_alone(&self) -> Next<T> {
        self.shell.locked(|port| {
            let mut posted = self.posted();
            posted.up = false;
            if posted.closed {
                port.on(Input::Close);
                return Next::End;
            }
            let waits = port.core().queued() == 0 && posted.is_empty();
            posted.asleep = waits;
            let until = if waits { port.guarded().timers.next().unwrap_or(u64::MAX) } else { 0 };
            Next::Poll { until }
        })
    }

    /// Runs those whose events the poll tells of. `tick` looks at the clock before each turn: what comes
    /// behind a slow handler would be late before it has begun.
    pub(crate) fn serve_events(
        &self,
        pool: &str,
        events: &mut impl Tells,
        env: &mut T::Env,
        mut tick: impl FnMut(&mut Desk),
    ) {
        let (mut from, mut stopped) = (0, false);
        self.serve(pool, env, |port, env| {
            events.events(&mut from, |key, ready| {
                if stopped {
                    // What is left is closed, whatever it was told.
                } else if port.core().pass(key).is_some() {
                    stopped = self.turn(pool, port, (key, ready), env, &mut tick);
                } else {
                    self.event(port, key, ready);
                }
            });
        });
    }

    /// Runs those whose time has come and all that is queued, each once, then what is new in `posted`.
    pub(crate) fn serve_queue(
        &self,
        pool: &str,
        (now, posted): (u64, &mut Posted<T>),
        env: &mut T::Env,
        mut tick: impl FnMut(&mut Desk),
    ) {
        let mut turns = None;
        self.serve(pool, env, |port, env| {
            let turns = turns.get_or_insert_with(|| {
                port.core().free();
                self.take_up(port, posted);
                expire(port, now);
                port.core().queued()
            });
            while *turns > 0 && !T::desk(env).heartbeat.is_stopped() {
                *turns -= 1;
                let Some(key) = port.core().pass_next() else { break };
                let ready = port.core().get_mut(key).map(|slot| slot.mark.take_ready());
                let _ = self.turn(pool, port, (key, ready.unwrap_or_default()), env, &mut tick);
            }
            while let Some(job) = posted.jobs.pop_front() {
                self.first_turn(pool, port, job, env, &mut tick);
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
        env: &mut T::Env,
        mut run: impl FnMut(&mut Locked<'_, Slot<T>, Guarded>, &mut T::Env),
    ) {
        self.shell.locked(|port| {
            T::desk(env).draining = port.guarded().draining;
            while let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(port, env))) {
                drop_panic(panic);
                self.panicked(pool, port, env);
            }
        });
        self.heartbeats[ALONE].rest();
    }

    /// Runs a turn in place. Says whether the port was seen to be closed; then there was none.
    #[inline]
    fn turn(
        &self,
        pool: &str,
        port: &mut Locked<'_, Slot<T>, Guarded>,
        (key, ready): (Key, Ready),
        env: &mut T::Env,
        tick: &mut impl FnMut(&mut Desk),
    ) -> bool {
        let Some(slot) = port.core().get_mut(key) else { return false };
        let Some(task) = slot.task.as_mut() else { return false };
        let desk = T::desk(env);
        if desk.heartbeat.is_stopped() {
            return true;
        }
        desk.heartbeat.turn(key);
        tick(desk);
        let after = task.turn(key, ready, env);
        if let After::Gone(why) = after {
            self.gone(pool, port, (key, why), env);
            return false;
        }
        let due = task.due();
        if due < slot.mark.scheduled() {
            schedule(port, key, due);
        }
        if after == After::Again {
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
        env: &mut T::Env,
    ) {
        if let Some(task) = self.remove(port, key).and_then(|slot| slot.task) {
            finish(pool, key, task, why, env);
        }
    }

    /// A handler has panicked, which is the end of its connection or job alone (X8).
    #[cold]
    fn panicked(&self, pool: &str, port: &mut Locked<'_, Slot<T>, Guarded>, env: &mut T::Env) {
        let heartbeat = &self.heartbeats[ALONE];
        heartbeat.unblock();
        let key = heartbeat.key();
        let slot = key.and_then(|key| port.core().get_mut(key));
        if let (Some(key), Some(task)) = (key, slot.and_then(|slot| slot.task.as_mut())) {
            task.recover(env);
            self.gone(pool, port, (key, Ended::Panicked), env);
        } else {
            // No code of the user's gets here: it is a bug of ours.
            tracing::error!(pool, "a thread of a pool panicked");
        }
    }
}

#[cfg(test)]
mod tests;
