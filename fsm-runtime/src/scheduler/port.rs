use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::Key;
use crate::net::readiness::Readiness;
use crate::scheduler::alarm::Alarm;
use crate::scheduler::port_core::{Effect, Input, PortCore, Thread};
use crate::scheduler::shared::{Locked, Shared, Work};
use crate::scheduler::task::Task;
use crate::scheduler::thread_status::ThreadStatus;
use crate::scheduler::timer_heap::TimerHeap;
use crate::stats::Counters;
use crate::wake::Wake;

mod expire;
mod inject;
mod observe;
mod single_thread;
mod slot_state;

use expire::{expire, made_stale, schedule};
pub(crate) use inject::Injected;
pub(crate) use single_thread::EventSource;
use slot_state::SlotState;

/// The connections or jobs of one machine, with their timers, and the threads that run them: all
/// of a port but the poll.
///
/// A thread asks with [`begin`](Port::begin) what to do, does it, and says so with
/// [`turned`](Port::turned) or [`polled`](Port::polled), which says what to do next. A test drives it
/// as well as a thread does.
pub(crate) struct Port<T> {
    number: usize,
    shared: Shared<Slot<T>, Guarded>,
    /// The number of connections or jobs, for whoever looks for the least loaded port.
    load: AtomicUsize,
    counters: Arc<Counters>,
    /// For the watchdog: what the system knows the threads by, where it tells, and what each runs.
    threads: Mutex<Vec<Option<Arc<str>>>>,
    statuses: Box<[Arc<ThreadStatus>]>,
    watchdog: OnceLock<Arc<Alarm>>,
    threads_left: AtomicUsize,
    /// What comes from elsewhere for a thread that is alone.
    injected: Mutex<Injected<T>>,
}

/// What a port keeps for a connection or a job.
struct Slot<T> {
    mark: SlotState,
    /// `None` while it is on a thread.
    task: Option<T>,
}

/// What the port's lock guards beside the slots.
#[derive(Default)]
struct Guarded {
    timers: TimerHeap,
    draining: bool,
    /// When the thread that polls comes back at the latest.
    sleeps_until: u64,
    /// Those that had their share since the poll, where the thread is alone.
    again: Vec<Key>,
}

/// What a thread does next.
pub(crate) enum Next<T> {
    Run(Turn<T>),
    /// Poll, and sleep there until `until` at the latest.
    Poll {
        until: u64,
    },
    /// Nothing any more: the port is closed.
    End,
}

/// A turn of a connection or job.
pub(crate) struct Turn<T> {
    pub(crate) key: Key,
    pub(crate) task: T,
    /// Readiness that was told since its last turn.
    pub(crate) ready: Readiness,
    /// The number of the turn, of its thread.
    pub(crate) number: u64,
    pub(crate) draining: bool,
}

/// What a turn leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// It waits for an event.
    Waiting,
    /// It has more to do, but had its share.
    Again,
    /// It is over.
    Gone,
}

impl<T: Task> Port<T> {
    pub(crate) fn new(
        number: usize,
        (threads, cap): (usize, usize),
        counters: Arc<Counters>,
        interrupt: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let core = PortCore::new(number, cap);
        Self {
            number,
            shared: Shared::new(core, threads, Guarded::default(), interrupt),
            load: AtomicUsize::new(0),
            counters,
            threads: Mutex::new(vec![None; threads]),
            statuses: (0..threads).map(|_| Arc::default()).collect(),
            injected: Mutex::new(Injected::default()),
            watchdog: OnceLock::new(),
            threads_left: AtomicUsize::new(threads),
        }
    }

    /// Takes up a connection or job, which has a turn soon; it comes back if the port is closed.
    pub(crate) fn open(&self, task: T, ready: Readiness) -> Result<(), T> {
        if self.is_single_threaded() {
            return self.inject_task(task, ready);
        }
        let opened = self.shared.locked(|port| {
            let key = Self::open_locked(port, task, ready)?;
            self.load.fetch_add(1, Ordering::Relaxed);
            port.on(Input::Post(key));
            Ok(port.core().could_help())
        });
        opened.map(|pressed| self.alarm_if(pressed))
    }

    /// The same, of the thread that has polled: it needs not be woken. Says its key.
    pub(crate) fn open_here(&self, task: T, ready: Readiness) -> Result<Key, T> {
        let opened = self.shared.locked(|port| {
            let key = Self::open_locked(port, task, ready)?;
            self.load.fetch_add(1, Ordering::Relaxed);
            port.on(Input::Event(key));
            Ok((key, port.core().could_help()))
        });
        opened.map(|(key, pressed)| {
            self.alarm_if(pressed);
            key
        })
    }

    fn open_locked(
        port: &mut Locked<'_, Slot<T>, Guarded>,
        task: T,
        ready: Readiness,
    ) -> Result<Key, T> {
        if port.core().is_closed() {
            return Err(task);
        }
        // It was in the backlog when the drain began: a request that has come with it is answered.
        let ready = if port.guarded().draining { ready | Readiness::READ } else { ready };
        Ok(port.core().open(Slot { mark: SlotState::new(ready), task: Some(task) }))
    }

    /// What the thread does first.
    pub(crate) fn begin(&self, thread: Thread) -> Next<T> {
        self.next(thread, |_| {})
    }

    /// The turn of the key is over; its `task` comes back unless it is gone.
    #[inline]
    pub(crate) fn turned(&self, thread: Thread, key: Key, task: Option<T>, left: Left) -> Next<T> {
        self.next(thread, |port| {
            match task {
                Some(task) => put_back(port, key, task),
                None => drop(self.remove(port, key)),
            }
            port.done(thread, left == Left::Again);
        })
    }

    /// The poll is over; these are its events, and it is `now` milliseconds after the start.
    #[inline]
    pub(crate) fn polled(&self, thread: Thread, now: u64, events: &[(Key, Readiness)]) -> Next<T> {
        self.next(thread, |port| {
            for (key, ready) in events {
                self.event(port, *key, *ready);
            }
            expire(port, now);
            port.on(Input::Polled(thread));
        })
    }

    #[inline]
    fn next(
        &self,
        thread: Thread,
        before: impl FnOnce(&mut Locked<'_, Slot<T>, Guarded>),
    ) -> Next<T> {
        let mut pressed = false;
        let before = |port: &mut Locked<'_, Slot<T>, Guarded>| {
            before(port);
            // At the cap there is nothing for this thread: it could help, and may sleep from here on.
            self.alarm_if(port.core().is_pressed());
        };
        let next = self.shared.next(thread, before, |port, work| match work {
            Work::Run(key) => {
                let number = port.turn(thread).unwrap_or_default();
                let (core, guarded) = port.both();
                let slot = core.get_mut(key);
                let taken = slot.and_then(|slot| {
                    let ready = slot.mark.take_ready();
                    Some((slot.task.take()?, ready))
                });
                let Some((task, ready)) = taken else {
                    unreachable!("a connection is on one thread at a time")
                };
                pressed = core.could_help();
                Next::Run(Turn { key, task, ready, number, draining: guarded.draining })
            }
            Work::Poll { wait } => {
                let guarded = port.guarded();
                let until = if wait { guarded.timers.next().unwrap_or(u64::MAX) } else { 0 };
                guarded.sleeps_until = until;
                // What the poll has told of may wait for handlers that block.
                pressed = port.core().could_help();
                Next::Poll { until }
            }
            Work::End => Next::End,
        });
        self.alarm_if(pressed);
        next
    }

    /// Calls the watchdog if work waits though there are threads for it.
    #[inline]
    fn alarm_if(&self, pressed: bool) {
        if let (true, Some(watchdog)) = (pressed, self.watchdog.get()) {
            watchdog.pressed();
        }
    }

    /// A turn begins: the watchdog must not sleep.
    #[inline]
    pub(crate) fn runs(&self) {
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.runs();
        }
    }

    #[inline]
    fn event(&self, port: &mut Locked<'_, Slot<T>, Guarded>, key: Key, ready: Readiness) {
        if let Some(slot) = port.core().get_mut(key) {
            slot.mark.tell(ready);
        }
        if port.on(Input::Event(key)) == Effect::Stale {
            self.counters.stale();
        }
    }

    fn remove(&self, port: &mut Locked<'_, Slot<T>, Guarded>, key: Key) -> Option<Slot<T>> {
        let slot = port.core().close(key)?;
        self.load.fetch_sub(1, Ordering::Relaxed);
        if slot.mark.is_scheduled() {
            made_stale(port);
        }
        Some(slot)
    }

    /// From now on connections at rest are closed, and others when they come to rest (X11).
    pub(crate) fn drain(&self) {
        self.shared.locked(|port| {
            port.guarded().draining = true;
            let keys: Vec<Key> = port.core().keys().collect();
            for key in keys {
                // A request that has arrived is answered: look once more before closing.
                if let Some(slot) = port.core().get_mut(key) {
                    slot.mark.tell(Readiness::READ);
                }
                port.on(Input::Post(key));
            }
        });
        if self.is_single_threaded() {
            // It is about to sleep, and does not know of them.
            self.interrupt();
        }
    }

    /// Tells all threads to end when their turn is over.
    pub(crate) fn close(&self) {
        if let [status] = &*self.statuses {
            status.stop();
            self.post(|injected| injected.closed = true);
            return;
        }
        self.shared.locked(|port| {
            port.on(Input::Close);
        });
    }

    /// A thread ends. When it is the last one, it takes what is left.
    pub(crate) fn leave(&self) -> Option<Vec<(Key, T)>> {
        if self.threads_left.fetch_sub(1, Ordering::SeqCst) > 1 {
            return None;
        }
        self.shared.locked(|port| {
            // Nobody would take up another one.
            let closed = Injected { closed: true, ..Injected::default() };
            let injected = std::mem::replace(&mut *self.injected(), closed);
            for (task, ready) in injected.tasks {
                port.core().open(Slot { mark: SlotState::new(ready), task: Some(task) });
            }
            for job in injected.jobs {
                let key = port.core().reserve();
                self.settle(port, key, job);
            }
            let keys: Vec<Key> = port.core().keys().collect();
            let rest = keys.into_iter().filter_map(|key| {
                let slot = port.core().close(key)?;
                self.load.fetch_sub(1, Ordering::Relaxed);
                Some((key, slot.task?))
            });
            Some(rest.collect())
        })
    }

    /// Makes the thread that polls come back.
    pub(crate) fn interrupt(&self) {
        self.shared.interrupt();
    }

    pub(crate) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Where the thread shows what it runs.
    pub(crate) fn status(&self, thread: Thread) -> Arc<ThreadStatus> {
        Arc::clone(&self.statuses[thread])
    }

    /// A thread has started; `id` is what the system knows it by.
    pub(crate) fn enlist(&self, thread: Thread, id: Option<Arc<str>>) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)[thread] = id;
    }

    /// A thread has died: a bug of ours. If it ran a key this is lost with it; if it polled, another
    /// one must.
    pub(crate) fn lost(&self, thread: Thread) -> Option<Key> {
        self.shared.locked(|port| {
            if port.core().polls(thread) {
                port.on(Input::Polled(thread));
            }
            let key = port.running(thread)?;
            self.remove(port, key);
            port.done(thread, false);
            Some(key)
        })
    }

    /// When the next deadline may pass.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.shared.locked(|port| port.guarded().timers.next())
    }

    /// Looks at a connection or job that is on no thread.
    pub(crate) fn look<R>(&self, key: Key, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.shared.locked(|port| {
            let task = port.core().get_mut(key)?.task.as_ref()?;
            Some(look(task))
        })
    }
}

fn put_back<T: Task>(port: &mut Locked<'_, Slot<T>, Guarded>, key: Key, task: T) {
    let Some(slot) = port.core().get_mut(key) else { return };
    let due = task.due();
    slot.task = Some(task);
    // When its entry comes up it is asked again.
    if due < slot.mark.scheduled() {
        schedule(port, key, due);
    }
}

impl<T: Task + Send> Wake for Port<T> {
    fn wake(&self, key: Key) {
        if self.is_single_threaded() {
            self.post(|injected| injected.keys.push(key));
            return;
        }
        let pressed = self.shared.locked(|port| {
            port.on(Input::Post(key));
            port.core().could_help()
        });
        self.alarm_if(pressed);
    }
}

impl<T> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("number", &self.number).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
