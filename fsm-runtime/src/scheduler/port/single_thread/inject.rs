use std::collections::VecDeque;

use crate::Key;
use crate::net::readiness::Readiness;

/// A connection, with the readiness that its first turn begins with.
pub(super) struct InjectedTask<T> {
    pub(super) task: T,
    pub(super) ready: Readiness,
}

/// Packets, connections and jobs that arrive from elsewhere for a port with one thread.
///
/// Such a thread keeps the port's lock while it runs handlers. Other threads, and handlers that the
/// thread itself runs, add to this, and the thread takes all of it at once after its poll.
pub(crate) struct Injected<T> {
    pub(super) keys: Vec<Key>,
    pub(super) tasks: Vec<InjectedTask<T>>,
    pub(super) jobs: VecDeque<T>,
    /// The thread sleeps in its poll, or is about to, and must be woken for an injection.
    pub(super) asleep: bool,
    /// The thread has returned from its poll, and may run turns.
    pub(super) up: bool,
    pub(super) closed: bool,
}

impl<T> Default for Injected<T> {
    fn default() -> Self {
        let (keys, tasks, jobs) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { keys, tasks, jobs, asleep: false, up: false, closed: false }
    }
}

impl<T> Injected<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tasks.is_empty() && self.jobs.is_empty()
    }

    /// Moves all of it to the thread, in exchange for the thread's empty buffers.
    #[inline]
    pub(super) fn move_to(&mut self, thread: &mut Self) {
        if !thread.is_empty() {
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

    /// Adds all of it to what the thread has taken already.
    fn append_to(&mut self, thread: &mut Self) {
        thread.keys.append(&mut self.keys);
        thread.tasks.append(&mut self.tasks);
        thread.jobs.append(&mut self.jobs);
    }
}
