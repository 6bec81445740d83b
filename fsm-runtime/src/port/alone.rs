use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{Guarded, Next, Port, Slot, expire, schedule};
use crate::core::{Effect, Input};
use crate::link::Ready;
use crate::shell::Locked;
use crate::task::{After, Desk, Task, drop_panic};
use crate::worker::finish;
use crate::{Ended, Key};

/// The only thread of a port.
pub(super) const ALONE: usize = 0;
/// It looks at the clock before every so many turns.
const TICK: u64 = 8;

/// What comes from elsewhere for a port with one thread.
///
/// Such a thread keeps the port's lock while it runs handlers, since nobody else could do anything
/// with what that guards: so it runs connections in place, and pays for one lock a poll and not two
/// a turn. Whoever has something for it, and that may be a handler that it runs, leaves it here.
pub(super) struct Posted<T> {
    pub(super) keys: Vec<Key>,
    pub(super) tasks: Vec<(T, Ready)>,
    /// It sleeps in its poll, or is about to, and has seen what was here.
    asleep: bool,
    pub(super) closed: bool,
}

impl<T> Default for Posted<T> {
    fn default() -> Self {
        Self { keys: Vec::new(), tasks: Vec::new(), asleep: false, closed: false }
    }
}

/// The events of a poll.
pub(crate) trait Tells {
    /// Tells of the events that come after the first `from`, which counts on.
    fn events(&mut self, from: &mut usize, told: impl FnMut(Key, Ready));
}

impl<T: Task> Port<T> {
    /// Whether it has only one thread.
    #[inline]
    pub(crate) fn is_alone(&self) -> bool {
        self.heartbeats.len() == 1
    }

    pub(super) fn posted(&self) -> MutexGuard<'_, Posted<T>> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves something for the thread, and wakes it if it sleeps.
    pub(super) fn post(&self, leave: impl FnOnce(&mut Posted<T>)) {
        let mut posted = self.posted();
        leave(&mut posted);
        // Once is enough.
        let wake = std::mem::replace(&mut posted.asleep, false);
        drop(posted);
        if wake {
            self.interrupt();
        }
    }

    pub(super) fn open_posted(&self, task: T, ready: Ready) -> Result<(), T> {
        let mut refused = None;
        self.post(|posted| {
            if posted.closed {
                refused = Some(task);
            } else {
                self.load.fetch_add(1, Ordering::Relaxed);
                posted.tasks.push((task, ready));
            }
        });
        if let Some(task) = refused {
            return Err(task);
        }
        Ok(())
    }

    /// What a thread that is alone does next: it polls, until then, or ends.
    pub(crate) fn next_alone(&self) -> Next<T> {
        self.shell.locked(|port| {
            let mut posted = self.posted();
            if posted.closed {
                port.on(Input::Close);
                return Next::End;
            }
            for (task, ready) in posted.tasks.drain(..) {
                if let Ok(key) = Self::open_locked(port, task, ready) {
                    port.on(Input::Event(key));
                }
            }
            for key in posted.keys.drain(..) {
                if port.on(Input::Event(key)) == Effect::Stale {
                    self.counters.stale();
                }
            }
            let waits = port.core().queued() == 0;
            posted.asleep = waits;
            let until = if waits { port.guarded().timers.next().unwrap_or(u64::MAX) } else { 0 };
            Next::Poll { until }
        })
    }

    /// Runs those whose events the poll tells of. `tick` looks at the clock now and then.
    pub(crate) fn serve_events(
        &self,
        pool: &str,
        events: &mut impl Tells,
        env: &mut T::Env,
        mut tick: impl FnMut(&mut Desk),
    ) {
        // From here on it comes by itself.
        self.posted().asleep = false;
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

    /// Runs those whose time has come and all that is queued, each once.
    pub(crate) fn serve_queue(
        &self,
        pool: &str,
        now: u64,
        env: &mut T::Env,
        mut tick: impl FnMut(&mut Desk),
    ) {
        let mut turns = None;
        self.serve(pool, env, |port, env| {
            let turns = turns.get_or_insert_with(|| {
                port.core().free();
                expire(port, now);
                port.core().queued()
            });
            while *turns > 0 && !T::desk(env).heartbeat.is_stopped() {
                *turns -= 1;
                let Some(key) = port.core().pass_next() else { break };
                let ready = port.core().get_mut(key).map(|slot| slot.mark.take_ready());
                let _ = self.turn(pool, port, (key, ready.unwrap_or_default()), env, &mut tick);
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

    /// Runs a turn in place. Says whether the port was seen to be closed, which is looked for as often as
    /// at the clock.
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
        if desk.heartbeat.turn(key) % TICK == 0 {
            if desk.heartbeat.is_stopped() {
                return true;
            }
            tick(desk);
        }
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
