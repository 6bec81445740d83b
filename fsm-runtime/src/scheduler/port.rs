//! A port without its poll: the connections or jobs of one machine, their timers, and the threads that
//! run them.
//!
//! There are two schedulers, as in tokio. The one for a port of one thread, which is the common case,
//! keeps its lock while it runs handlers. The one for a port of several threads is a completion port.

use std::fmt;
use std::sync::Arc;

use crate::Key;
use crate::key::Generations;
use crate::net::readiness::Readiness;
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::task::Task;
use crate::scheduler::thread_status::ThreadStatus;
use crate::stats::Counters;
use crate::wake::Wake;

mod common;
mod multi_thread;
mod observe_impl;
mod single_thread;
mod slot;
mod slot_state;
mod timers;
mod walk;

use common::Common;
pub(crate) use multi_thread::{AssignedTurn, FinishedTurn, MultiThread, Next, WhenIdle};
pub(crate) use single_thread::{EventSource, Injected, PortEvent, SingleThread};
use slot_state::SlotState;
pub(crate) use walk::{Slots, Visited, Walk};

/// A port, as all but its own threads see it.
pub(crate) enum Port<T> {
    SingleThread(SingleThread<T>),
    MultiThread(MultiThread<T>),
}

/// The parts that a port is made of.
pub(crate) struct PortSettings {
    /// The number of the port in its pool.
    pub(crate) number: usize,
    pub(crate) threads: usize,
    /// The most threads that run at a time.
    pub(crate) max_running: usize,
    pub(crate) counters: Arc<Counters>,
    pub(crate) generations: Arc<Generations>,
    /// Makes the thread that polls return from its poll.
    pub(crate) interrupt: Box<dyn Fn() + Send + Sync>,
}

/// A connection or job that is left when the last thread of its port ends.
pub(crate) struct RemainingTask<T> {
    pub(crate) key: Key,
    pub(crate) task: T,
}

impl<T: Task> Port<T> {
    pub(crate) fn new(settings: PortSettings) -> Self {
        if settings.threads == 1 {
            Self::SingleThread(SingleThread::new(settings))
        } else {
            Self::MultiThread(MultiThread::new(settings))
        }
    }

    /// Adds a connection or job, which has a turn soon. Returns it if the port is closed.
    pub(crate) fn open(&self, task: T, ready: Readiness) -> Result<(), T> {
        match self {
            Self::SingleThread(port) => port.open(task, ready),
            Self::MultiThread(port) => port.open(task, ready).map(drop),
        }
    }

    /// Like [`open`](Port::open) on the thread that has polled, which need not be woken. Returns the key.
    pub(crate) fn open_here(&self, task: T, ready: Readiness) -> Result<Key, T> {
        match self {
            Self::SingleThread(port) => port.open_here(task, ready),
            Self::MultiThread(port) => port.open_here(task, ready),
        }
    }

    /// Adds a job, which has a turn soon. Returns it if the port is closed.
    pub(crate) fn submit(&self, job: T) -> Result<(), T> {
        match self {
            Self::SingleThread(port) => port.submit(job),
            Self::MultiThread(port) => port.open(job, Readiness::NONE).map(drop),
        }
    }

    /// Inserts a packet for the key, from anywhere (R6).
    pub(crate) fn post(&self, key: Key) {
        match self {
            Self::SingleThread(port) => port.wake(key),
            Self::MultiThread(port) => port.wake(key),
        }
    }

    /// Closes connections at rest from now on, and others when they come to rest (X11).
    pub(crate) fn drain(&self) {
        match self {
            Self::SingleThread(port) => port.drain(),
            Self::MultiThread(port) => port.drain(),
        }
    }

    /// Ends all threads after their current turn (R5).
    pub(crate) fn close(&self) {
        match self {
            Self::SingleThread(port) => port.close(),
            Self::MultiThread(port) => port.close(),
        }
    }

    /// Notes that a thread ends. Returns the remaining connections and jobs if it is the last one.
    pub(crate) fn thread_ended(&self) -> Option<Vec<RemainingTask<T>>> {
        match self {
            Self::SingleThread(port) => port.thread_ended(),
            Self::MultiThread(port) => port.thread_ended(),
        }
    }

    /// Cleans up after a panic outside of user code, which is a bug of the runtime. Returns the key
    /// whose turn the thread ran: its task is lost.
    pub(crate) fn thread_died(&self, thread: ThreadIndex) -> Option<Key> {
        match self {
            Self::SingleThread(port) => port.thread_died(),
            Self::MultiThread(port) => port.thread_died(thread),
        }
    }

    /// Makes the thread that polls return from its poll.
    pub(crate) fn interrupt(&self) {
        match self {
            Self::SingleThread(port) => port.interrupt(),
            Self::MultiThread(port) => port.interrupt(),
        }
    }

    /// The time at which the next deadline may pass.
    pub(crate) fn next_deadline(&self) -> u64 {
        match self {
            Self::SingleThread(port) => port.next_deadline(),
            Self::MultiThread(port) => port.next_deadline(),
        }
    }

    /// Calls `inspect` with a connection or job; `None` if it does not exist or a thread runs it.
    pub(crate) fn inspect<R>(&self, key: Key, inspect: impl FnOnce(&T) -> R) -> Option<R> {
        match self {
            Self::SingleThread(port) => port.inspect(key, inspect),
            Self::MultiThread(port) => port.inspect(key, inspect),
        }
    }

    /// Walks over the connections and jobs: on the thread of the port if it has one, and otherwise on this one.
    /// Returns before the walk is over in the first case.
    pub(crate) fn walk(&self, walk: Box<dyn Walk<T>>) {
        match self {
            Self::SingleThread(port) => port.walk(walk),
            Self::MultiThread(port) => port.walk(walk),
        }
    }

    /// The number of its connections or jobs.
    pub(crate) fn load(&self) -> usize {
        self.common().load()
    }

    /// The status that the thread keeps of its turns.
    pub(crate) fn status(&self, thread: ThreadIndex) -> Arc<ThreadStatus> {
        self.common().status(thread)
    }

    /// Notes that a thread has started; `id` is the system's name of it.
    pub(crate) fn thread_started(&self, thread: ThreadIndex, id: Option<Arc<str>>) {
        self.common().ids()[thread] = id;
    }
}

impl<T> Port<T> {
    fn common(&self) -> &Common {
        match self {
            Self::SingleThread(port) => &port.common,
            Self::MultiThread(port) => &port.common,
        }
    }
}

impl<T: Task + Send> Wake for Port<T> {
    fn wake(&self, key: Key) {
        self.post(key);
    }
}

impl<T> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("number", &self.common().number).finish_non_exhaustive()
    }
}
