use std::sync::PoisonError;

use crate::key::Key;
use crate::scheduler::port_core::{Effect, PortCore, PortInput, ThreadIndex};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// The most threads of a port.
pub(crate) const THREADS: usize = 64;

/// A [`PortCore`] that threads share: a lock, and a condition variable for each thread to sleep at.
///
/// It carries out the effects that the core returns and knows nothing of sockets, so that loom and
/// shuttle can check its interleavings. The lock guards an `X`, too.
///
/// A thread asks for work with [`next`](Shared::next), and sleeps there while there is none. Another
/// thread that finds work for it writes the work to its slot under the lock, and wakes it when the
/// lock is free again. The sleeper looks at its slot under the same lock before it sleeps, so that no
/// wake-up is lost between the two.
pub(crate) struct Shared<T, X> {
    state: Mutex<SharedState<T, X>>,
    condvars: Box<[Condvar]>,
    /// Makes the thread that sleeps in a poll return.
    interrupt: Box<dyn Fn() + Send + Sync>,
}

struct SharedState<T, X> {
    core: PortCore<T>,
    threads: Box<[ThreadSlot]>,
    guarded: X,
}

#[derive(Debug, Default)]
struct ThreadSlot {
    /// The next work of its thread.
    work: Option<Work>,
    /// The key whose turn the thread runs.
    running: Option<Key>,
    /// The number of that turn.
    turn: u64,
    blocked: Option<Blocked>,
}

/// The work of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Run a turn of the key.
    Run(Key),
    /// Poll, and sleep there if `wait`.
    Poll { wait: bool },
    /// End: the port is closed.
    End,
}

/// The source of the knowledge that a thread blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// Its handler declares it, until the handler declares that it goes on.
    Declared,
    /// The watchdog has seen it, and may later see that the thread goes on.
    Observed,
}

/// The threads to wake when the lock is free.
#[derive(Clone, Copy, Debug, Default)]
struct PendingWakes {
    threads: u64,
    interrupt: bool,
}

/// What there is for each thread. Outside of `Shared::new`, because its types do not depend on the machine.
fn thread_slots(threads: usize) -> (Box<[ThreadSlot]>, Box<[Condvar]>) {
    assert!(threads <= THREADS, "{threads} threads");
    let slots = (0..threads).map(|_| ThreadSlot::default()).collect();
    (slots, (0..threads).map(|_| Condvar::new()).collect())
}

impl<T, X> Shared<T, X> {
    /// # Panics
    ///
    /// When there are more than [`THREADS`].
    pub(crate) fn new(
        core: PortCore<T>,
        threads: usize,
        guarded: X,
        interrupt: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        let (threads, condvars) = thread_slots(threads);
        let state = Mutex::new(SharedState { core, threads, guarded });
        Self { state, condvars, interrupt }
    }

    /// Calls `before`, asks the core for work on behalf of `thread`, and calls `after` with that work,
    /// all under one lock. The thread sleeps between the two while there is no work.
    #[inline]
    pub(crate) fn next<R>(
        &self,
        thread: ThreadIndex,
        before: impl FnOnce(&mut Locked<'_, T, X>),
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> R {
        let mut state = self.lock();
        let mut wakes = Self::ask(&mut state, thread, before);
        let work = loop {
            if let Some(work) = state.threads[thread].work.take() {
                break work;
            }
            // Others must not wait until this thread wakes up. Later rounds of the loop wake no one.
            self.wake(std::mem::take(&mut wakes));
            let woken = self.condvars[thread].wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        };
        self.begin(state, wakes, thread, work, after)
    }

    /// Like [`next`](Shared::next) for a simulated thread: returns `None` instead of sleeping. Such a
    /// thread continues with [`resume`](Shared::resume).
    pub(crate) fn try_next<R>(
        &self,
        thread: ThreadIndex,
        before: impl FnOnce(&mut Locked<'_, T, X>),
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> Option<R> {
        let mut state = self.lock();
        let wakes = Self::ask(&mut state, thread, before);
        self.begin_if_any(state, wakes, thread, after)
    }

    /// Calls `after` with the work that others have found since for a simulated thread that got `None`;
    /// returns `None` while there is none. Such a thread already waits in the core, so this does not ask
    /// again.
    pub(crate) fn resume<R>(
        &self,
        thread: ThreadIndex,
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> Option<R> {
        self.begin_if_any(self.lock(), PendingWakes::default(), thread, after)
    }

    /// Calls `before`, takes work for `thread`, and releases further work to waiting threads.
    #[inline]
    fn ask(
        state: &mut SharedState<T, X>,
        thread: ThreadIndex,
        before: impl FnOnce(&mut Locked<'_, T, X>),
    ) -> PendingWakes {
        let mut locked = Locked::new(state, Some(thread));
        before(&mut locked);
        locked.handle(PortInput::Take(thread));
        while locked.handle(PortInput::Release) != Effect::None && !locked.state.core.is_closed() {}
        locked.wakes
    }

    fn begin_if_any<R>(
        &self,
        mut state: MutexGuard<'_, SharedState<T, X>>,
        wakes: PendingWakes,
        thread: ThreadIndex,
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> Option<R> {
        if let Some(work) = state.threads[thread].work.take() {
            return Some(self.begin(state, wakes, thread, work, after));
        }
        drop(state);
        self.wake(wakes);
        None
    }

    /// Calls `after` with the thread's work, and wakes others when the lock is free.
    #[inline]
    fn begin<R>(
        &self,
        mut state: MutexGuard<'_, SharedState<T, X>>,
        mut wakes: PendingWakes,
        thread: ThreadIndex,
        work: Work,
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> R {
        let mut locked = Locked::new(&mut state, Some(thread));
        let result = after(&mut locked, work);
        wakes.join(locked.wakes);
        drop(state);
        self.wake(wakes);
        result
    }

    /// Makes the thread that polls return from its poll.
    pub(crate) fn interrupt(&self) {
        (self.interrupt)();
    }

    /// Calls `action` under the lock.
    #[inline]
    pub(crate) fn locked<R>(&self, action: impl FnOnce(&mut Locked<'_, T, X>) -> R) -> R {
        let mut state = self.lock();
        let mut locked = Locked::new(&mut state, None);
        let result = action(&mut locked);
        let wakes = locked.wakes;
        drop(state);
        self.wake(wakes);
        result
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, SharedState<T, X>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    fn wake(&self, wakes: PendingWakes) {
        let mut threads = wakes.threads;
        while threads != 0 {
            self.condvars[threads.trailing_zeros() as usize].notify_one();
            threads &= threads - 1;
        }
        if wakes.interrupt {
            (self.interrupt)();
        }
    }
}

impl PendingWakes {
    fn join(&mut self, other: Self) {
        self.threads |= other.threads;
        self.interrupt |= other.interrupt;
    }
}

/// The state of a port while its lock is held.
pub(crate) struct Locked<'a, T, X> {
    state: &'a mut SharedState<T, X>,
    /// The thread of the port that holds the lock, if it is one: work for that thread needs no wake-up.
    thread: Option<ThreadIndex>,
    wakes: PendingWakes,
}

impl<'a, T, X> Locked<'a, T, X> {
    #[inline]
    fn new(state: &'a mut SharedState<T, X>, thread: Option<ThreadIndex>) -> Self {
        Self { state, thread, wakes: PendingWakes::default() }
    }

    #[inline]
    pub(crate) fn core(&mut self) -> &mut PortCore<T> {
        &mut self.state.core
    }

    #[inline]
    pub(crate) fn guarded(&mut self) -> &mut X {
        &mut self.state.guarded
    }

    #[inline]
    pub(crate) fn core_and_guarded(&mut self) -> (&mut PortCore<T>, &mut X) {
        (&mut self.state.core, &mut self.state.guarded)
    }

    /// Gives an input to the core, and carries out the effect that it returns.
    #[inline]
    pub(crate) fn handle(&mut self, input: PortInput) -> Effect {
        let effect = self.state.core.handle(input);
        match effect {
            Effect::Run(thread, key) => {
                let slot = &mut self.state.threads[thread];
                slot.running = Some(key);
                slot.turn += 1;
                self.assign(thread, Work::Run(key));
            }
            Effect::Poll { thread, wait } => self.assign(thread, Work::Poll { wait }),
            Effect::Interrupt(_) => self.interrupt(),
            Effect::Closed => {
                for thread in 0..self.state.threads.len() {
                    // A turn that was given to the thread and has not begun never begins.
                    if let Some(Work::Run(_)) = self.state.threads[thread].work {
                        self.done(thread, true);
                    }
                    self.assign(thread, Work::End);
                }
                self.interrupt();
            }
            Effect::None | Effect::Park(_) | Effect::Stale => {}
        }
        effect
    }

    #[inline]
    fn assign(&mut self, thread: ThreadIndex, work: Work) {
        self.state.threads[thread].work = Some(work);
        if self.thread != Some(thread) {
            self.wakes.threads |= 1 << thread;
        }
    }

    /// Makes the thread that polls return from its poll.
    pub(crate) fn interrupt(&mut self) {
        self.wakes.interrupt = true;
    }

    /// Ends the turn of the thread; `again` queues its key once more.
    #[inline]
    pub(crate) fn done(&mut self, thread: ThreadIndex, again: bool) {
        let slot = &mut self.state.threads[thread];
        let Some(key) = slot.running.take() else { return };
        if slot.blocked.take().is_some() {
            self.handle(PortInput::Unblock);
        }
        self.handle(PortInput::Done { key, again });
    }

    /// The key whose turn the thread runs.
    pub(crate) fn running(&self, thread: ThreadIndex) -> Option<Key> {
        self.state.threads[thread].running
    }

    pub(crate) fn blocked(&self, thread: ThreadIndex) -> Option<Blocked> {
        self.state.threads[thread].blocked
    }

    /// The number of the turn that the thread runs.
    pub(crate) fn turn(&self, thread: ThreadIndex) -> Option<u64> {
        let slot = &self.state.threads[thread];
        slot.running.map(|_| slot.turn)
    }

    /// Records that the thread blocks in this turn. Returns whether this is new: it is not if the same
    /// source, or the handler itself, has said so before.
    pub(crate) fn block(&mut self, thread: ThreadIndex, turn: u64, how: Blocked) -> bool {
        if self.turn(thread) != Some(turn) {
            return false;
        }
        let known = self.state.threads[thread].blocked;
        if known == Some(how) || known == Some(Blocked::Declared) {
            return false;
        }
        self.state.threads[thread].blocked = Some(how);
        if known.is_none() {
            self.handle(PortInput::Block);
        }
        true
    }

    /// Records that the thread goes on in this turn, if it was known to block by the same source.
    pub(crate) fn unblock(&mut self, thread: ThreadIndex, turn: u64, how: Blocked) {
        if self.turn(thread) == Some(turn) && self.state.threads[thread].blocked == Some(how) {
            self.state.threads[thread].blocked = None;
            self.handle(PortInput::Unblock);
        }
    }
}

#[cfg(test)]
mod tests;
