use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use super::{Guarded, Mark, Port, Slot, schedule};
use crate::link::Ready;
use crate::shell::Locked;
use crate::task::{After, Desk, Task, caught};
use crate::worker::finish;
use crate::{Ended, Key};

/// What comes from elsewhere for a port with one thread.
///
/// Such a thread keeps the port's lock while it runs handlers, since nobody else could do anything
/// with what that guards: so it runs connections in place, and pays for one lock a poll and not two
/// a turn. Whoever has something for it, and that may be a handler that it runs, leaves it here.
///
/// The thread takes it all at once when it is back from its poll.
pub(crate) struct Posted<T> {
    pub(super) keys: Vec<Key>,
    pub(super) tasks: Vec<(T, Ready)>,
    pub(super) jobs: VecDeque<T>,
    /// It sleeps in its poll, or is about to, and has seen what was here.
    pub(super) asleep: bool,
    /// It is back from its poll.
    pub(super) up: bool,
    pub(super) closed: bool,
}

impl<T> Default for Posted<T> {
    fn default() -> Self {
        let (keys, tasks, jobs) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { keys, tasks, jobs, asleep: false, up: false, closed: false }
    }
}

impl<T> Posted<T> {
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
    pub(super) fn posted(&self) -> MutexGuard<'_, Posted<T>> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves something for the thread, and wakes it if it sleeps.
    #[inline]
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

    /// The thread is back from its poll, and takes what was left for it meanwhile. From here on it
    /// comes by itself.
    #[inline]
    pub(crate) fn take_posted(&self, into: &mut Posted<T>) {
        let mut posted = self.posted();
        posted.asleep = false;
        posted.up = true;
        posted.move_to(into);
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
        refused.map_or(Ok(()), Err)
    }

    /// Takes up a job, which has a turn soon; it comes back if the port is closed.
    pub(crate) fn give(&self, job: T) -> Result<(), T> {
        if !self.is_alone() {
            return self.open(job, Ready::NONE);
        }
        let mut refused = None;
        self.post(|posted| {
            if posted.closed {
                refused = Some(job);
            } else {
                posted.jobs.push_back(job);
            }
        });
        refused.map_or(Ok(()), Err)
    }

    /// What was left for the thread joins what it has, except for jobs that have had no turn.
    pub(super) fn take_up(&self, port: &mut Locked<'_, Slot<T>, Guarded>, posted: &mut Posted<T>) {
        // To drain nothing takes its time, too.
        if !posted.tasks.is_empty() {
            for (task, ready) in posted.tasks.drain(..) {
                if let Ok(key) = Self::open_locked(port, task, ready) {
                    port.core().told(key);
                }
            }
        }
        if !posted.keys.is_empty() {
            for key in posted.keys.drain(..) {
                if !port.core().told(key) {
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
        env: &mut T::Env,
        tick: &mut impl FnMut(&mut Desk),
    ) {
        let key = port.core().reserve();
        let desk = T::desk(env);
        if desk.heartbeat.is_stopped() {
            self.settle(port, key, job);
            return;
        }
        desk.heartbeat.turn(key);
        tick(desk);
        // A panic of a handler ends that job alone (X8).
        let after = caught(|| job.turn(key, Ready::NONE, env)).unwrap_or_else(|| {
            T::desk(env).heartbeat.unblock();
            job.recover(env);
            After::Gone(Ended::Panicked)
        });
        if let After::Gone(why) = after {
            finish(pool, key, job, why, env);
            return;
        }
        let due = job.due();
        self.settle(port, key, job);
        if due != u64::MAX {
            schedule(port, key, due);
        }
        if after == After::Again {
            port.guarded().again.push(key);
        }
    }

    /// Gives a job its slot.
    pub(super) fn settle(&self, port: &mut Locked<'_, Slot<T>, Guarded>, key: Key, job: T) {
        self.load.fetch_add(1, Ordering::Relaxed);
        port.core().open_at(key, Slot { mark: Mark::new(Ready::NONE), task: Some(job) });
    }
}
