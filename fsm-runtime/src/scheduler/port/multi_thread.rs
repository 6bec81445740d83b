use super::common::Common;
use super::slot::{TaskSlot, add_readiness_to_all, remove};
use super::timers::Timers;
use super::{PortEvent, PortSettings, RemainingTask};
use crate::Key;
use crate::net::readiness::Readiness;
use crate::scheduler::port_core::{Effect, PortCore, PortInput, ThreadIndex};
use crate::scheduler::shared::{self, Shared, Work};
use crate::scheduler::task::Task;

/// A port of several threads: a completion port, with a lock around it.
///
/// A turn takes the connection or job out of its slot, so that it runs without the lock. Packets
/// that arrive meanwhile set bits in the slot, and cause one more turn.
///
/// A thread gets its first action from [`begin`](MultiThread::begin). It reports a finished action to
/// [`turned`](MultiThread::turned) or [`polled`](MultiThread::polled), which return the next one. A
/// test can take the place of a thread.
pub(crate) struct MultiThread<T> {
    pub(super) common: Common,
    pub(super) shared: Shared<TaskSlot<T>, Guarded>,
}

type LockedPort<'a, T> = shared::Locked<'a, TaskSlot<T>, Guarded>;

/// The state that the port's lock guards beside the slots.
#[derive(Debug, Default)]
pub(super) struct Guarded {
    timers: Timers,
    draining: bool,
    /// The time at which the thread that polls returns at the latest.
    sleeps_until: u64,
}

/// The next action of a thread.
pub(crate) enum Next<T> {
    Run(AssignedTurn<T>),
    /// Poll, and sleep in the poll until `until` at the latest.
    Poll {
        until: u64,
    },
    /// Nothing, until another thread finds work for it. Only a simulated thread gets this.
    Parked,
    /// End: the port is closed.
    End,
}

/// A turn that a thread is to run, with its connection or job.
pub(crate) struct AssignedTurn<T> {
    pub(crate) key: Key,
    pub(crate) task: T,
    /// The readiness that has arrived since the task's last turn began.
    pub(crate) ready: Readiness,
    /// The number of the turn among those of its thread.
    pub(crate) number: u64,
    pub(crate) draining: bool,
}

/// A turn that is over.
pub(crate) struct FinishedTurn<T> {
    pub(crate) key: Key,
    /// `None` if the task has ended.
    pub(crate) task: Option<T>,
    /// The task has more to do, but its budget was used up.
    pub(crate) again: bool,
}

/// The action of a thread without work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenIdle {
    /// Sleeps until there is work.
    Sleep,
    /// Returns [`Next::Parked`], because a test simulates several threads on one.
    Return,
}

impl<T: Task> MultiThread<T> {
    pub(super) fn new(settings: PortSettings) -> Self {
        let PortSettings { number, threads, max_running, counters, generations, interrupt } =
            settings;
        let core = PortCore::new(number, max_running, generations);
        Self {
            common: Common::new(number, threads, counters),
            shared: Shared::new(core, threads, Guarded::default(), interrupt),
        }
    }

    pub(super) fn open(&self, task: T, ready: Readiness) -> Result<Key, T> {
        self.open_as(task, ready, PortInput::Post)
    }

    /// Like `open` on the thread that has polled, which need not be woken.
    pub(super) fn open_here(&self, task: T, ready: Readiness) -> Result<Key, T> {
        self.open_as(task, ready, PortInput::Event)
    }

    fn open_as(
        &self,
        task: T,
        ready: Readiness,
        packet: impl FnOnce(Key) -> PortInput,
    ) -> Result<Key, T> {
        let opened = self.shared.locked(|port| {
            let (core, guarded) = port.core_and_guarded();
            if core.is_closed() {
                return Err(task);
            }
            let key = core.open(TaskSlot::arriving(task, ready, guarded.draining));
            self.common.opened();
            port.handle(packet(key));
            Ok((key, port.core().idle_thread_could_help()))
        });
        opened.map(|(key, could_help)| {
            self.common.alarm_if(could_help);
            key
        })
    }

    /// Inserts a packet for the key, from anywhere (R6).
    pub(super) fn wake(&self, key: Key) {
        let could_help = self.shared.locked(|port| {
            port.handle(PortInput::Post(key));
            port.core().idle_thread_could_help()
        });
        self.common.alarm_if(could_help);
    }

    /// Returns the first action of the thread.
    pub(crate) fn begin(&self, thread: ThreadIndex, idle: WhenIdle) -> Next<T> {
        self.next(thread, idle, |_| {})
    }

    /// Ends the thread's turn. Returns its next action.
    #[inline]
    pub(crate) fn turned(
        &self,
        thread: ThreadIndex,
        idle: WhenIdle,
        turned: FinishedTurn<T>,
    ) -> Next<T> {
        let FinishedTurn { key, task, again } = turned;
        self.next(thread, idle, |port| {
            match task {
                Some(task) => put_back(port, key, task),
                None => drop(self.remove(port, key)),
            }
            port.done(thread, again);
        })
    }

    /// Ends the thread's poll, which found these events at the time `now`. Returns its next action.
    #[inline]
    pub(crate) fn polled(
        &self,
        thread: ThreadIndex,
        idle: WhenIdle,
        now: u64,
        events: &[PortEvent],
    ) -> Next<T> {
        self.next(thread, idle, |port| {
            for PortEvent { key, readiness } in events {
                if let Some(slot) = port.core().get_mut(*key) {
                    slot.state.add_readiness(*readiness);
                }
                if port.handle(PortInput::Event(*key)) == Effect::Stale {
                    self.common.counters.stale();
                }
            }
            let (core, guarded) = port.core_and_guarded();
            guarded.timers.expire(core, now);
            port.handle(PortInput::Polled(thread));
        })
    }

    /// Returns the next action of a parked thread.
    pub(crate) fn resume(&self, thread: ThreadIndex) -> Next<T> {
        let mut could_help = false;
        let next = self.shared.resume(thread, |port, work| {
            let begun = begin_work(port, thread, work);
            could_help = begun.could_help;
            begun.next
        });
        self.common.alarm_if(could_help);
        next.unwrap_or(Next::Parked)
    }

    #[inline]
    fn next(
        &self,
        thread: ThreadIndex,
        idle: WhenIdle,
        before: impl FnOnce(&mut LockedPort<'_, T>),
    ) -> Next<T> {
        let mut could_help = false;
        let before = |port: &mut LockedPort<'_, T>| {
            before(port);
            // With `max_running` active threads there is nothing for this one, and it may sleep from
            // here on. It could help if another one blocks.
            self.common.alarm_if(port.core().is_full_with_work());
        };
        let after = |port: &mut LockedPort<'_, T>, work| {
            let begun = begin_work(port, thread, work);
            could_help = begun.could_help;
            begun.next
        };
        let next = match idle {
            WhenIdle::Sleep => self.shared.next(thread, before, after),
            WhenIdle::Return => self.shared.try_next(thread, before, after).unwrap_or(Next::Parked),
        };
        self.common.alarm_if(could_help);
        next
    }

    /// Wakes the watchdog if it sleeps, because a turn begins.
    #[inline]
    pub(crate) fn turn_begins(&self) {
        self.common.turn_begins();
    }

    fn remove(&self, port: &mut LockedPort<'_, T>, key: Key) -> Option<TaskSlot<T>> {
        let (core, guarded) = port.core_and_guarded();
        let slot = remove(core, &mut guarded.timers, key)?;
        self.common.closed();
        Some(slot)
    }

    pub(super) fn drain(&self) {
        self.shared.locked(|port| {
            port.guarded().draining = true;
            // A turn with readiness looks for a request that has arrived, and answers it before closing.
            for key in add_readiness_to_all(port.core(), Readiness::READ) {
                port.handle(PortInput::Post(key));
            }
        });
    }

    pub(super) fn close(&self) {
        self.shared.locked(|port| {
            port.handle(PortInput::Close);
        });
    }

    /// Notes that a thread ends. Returns the remaining connections and jobs if it is the last one.
    pub(super) fn thread_ended(&self) -> Option<Vec<RemainingTask<T>>> {
        if !self.common.thread_ended() {
            return None;
        }
        self.shared.locked(|port| {
            let keys: Vec<Key> = port.core().keys().collect();
            let remaining = keys.into_iter().filter_map(|key| {
                let slot = port.core().close(key)?;
                self.common.closed();
                Some(RemainingTask { key, task: slot.task? })
            });
            Some(remaining.collect())
        })
    }

    pub(super) fn interrupt(&self) {
        self.shared.interrupt();
    }

    /// Removes the task that the thread ran when it panicked, which is a bug of the runtime. If the
    /// thread polled, it gives up this role.
    pub(super) fn thread_died(&self, thread: ThreadIndex) -> Option<Key> {
        self.shared.locked(|port| {
            if port.core().polls(thread) {
                port.handle(PortInput::Polled(thread));
            }
            let key = port.running(thread)?;
            self.remove(port, key);
            port.done(thread, false);
            Some(key)
        })
    }

    /// Calls `inspect` with a connection or job; `None` if it does not exist or a thread runs it.
    pub(super) fn inspect<R>(&self, key: Key, inspect: impl FnOnce(&T) -> R) -> Option<R> {
        self.shared.locked(|port| port.core().get_mut(key)?.task.as_ref().map(inspect))
    }

    /// The time at which the next deadline may pass.
    pub(super) fn next_deadline(&self) -> u64 {
        self.shared.locked(|port| port.guarded().timers.next())
    }
}

/// The work that a thread begins.
struct BegunWork<T> {
    next: Next<T>,
    /// Whether more work waits that an idle thread could do if `max_running` allowed it.
    could_help: bool,
}

/// Begins the work that the thread was given.
#[inline]
fn begin_work<T>(port: &mut LockedPort<'_, T>, thread: ThreadIndex, work: Work) -> BegunWork<T> {
    match work {
        Work::Run(key) => {
            let number = port.turn(thread).unwrap_or_default();
            let (core, guarded) = port.core_and_guarded();
            let taken = core.get_mut(key).and_then(|slot| {
                let ready = slot.state.take_ready();
                Some((slot.task.take()?, ready))
            });
            let Some((task, ready)) = taken else {
                unreachable!("a connection is on one thread at a time")
            };
            let turn = AssignedTurn { key, task, ready, number, draining: guarded.draining };
            BegunWork { next: Next::Run(turn), could_help: core.idle_thread_could_help() }
        }
        Work::Poll { wait } => {
            let guarded = port.guarded();
            let until = if wait { guarded.timers.next() } else { 0 };
            guarded.sleeps_until = until;
            // Events of the last poll may wait for handlers that block.
            BegunWork {
                next: Next::Poll { until },
                could_help: port.core().idle_thread_could_help(),
            }
        }
        Work::End => BegunWork { next: Next::End, could_help: false },
    }
}

/// Puts a task into its slot after its turn.
fn put_back<T: Task>(port: &mut LockedPort<'_, T>, key: Key, task: T) {
    let (core, guarded) = port.core_and_guarded();
    let Some(slot) = core.get_mut(key) else { return };
    let due = task.due();
    slot.task = Some(task);
    // A later deadline needs no entry: the task is asked again when its present entry comes up.
    if !slot.state.is_later_than(due) {
        return;
    }
    guarded.timers.schedule(core, key, due);
    if due < guarded.sleeps_until {
        // One interrupt is enough: the thread that polls returns, and looks at all deadlines.
        guarded.sleeps_until = due;
        if core.polls_asleep() {
            port.interrupt();
        }
    }
}

#[cfg(test)]
mod tests;
