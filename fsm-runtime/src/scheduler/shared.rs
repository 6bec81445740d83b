use std::sync::PoisonError;

use crate::key::Key;
use crate::scheduler::port_core::{Effect, PortCore, PortInput, ThreadIndex};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// The most threads of a port.
pub(crate) const THREADS: usize = 64;

/// A [`PortCore`] that threads share: a lock, and a condition variable for each thread to sleep at.
///
/// It does what the core says and knows nothing of sockets, so that its interleavings can be
/// checked one by one. The lock guards an `X`, too.
///
/// A thread asks with [`next`](Shared::next) for something to do, and sleeps there while there is
/// nothing. A thread that finds work for it writes that to its slot under the lock, and wakes it
/// when the lock is free again. The sleeper looks at its slot under the same lock before it sleeps,
/// so that no wake-up is lost between the two.
pub(crate) struct Shared<T, X> {
    state: Mutex<SharedState<T, X>>,
    condvars: Box<[Condvar]>,
    /// Makes the thread that sleeps in a poll come back.
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
    /// Nothing any more.
    End,
}

/// How it is known that a thread blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blocked {
    /// Its handler says so, until it says that it goes on.
    Declared,
    /// The watchdog has seen it, and may see that it goes on.
    Observed,
}

/// The threads to wake when the lock is free.
#[derive(Clone, Copy, Debug, Default)]
struct PendingWakes {
    threads: u64,
    interrupt: bool,
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
        assert!(threads <= THREADS, "{threads} threads");
        let slots = (0..threads).map(|_| ThreadSlot::default()).collect();
        let state = Mutex::new(SharedState { core, threads: slots, guarded });
        let condvars = (0..threads).map(|_| Condvar::new()).collect();
        Self { state, condvars, interrupt }
    }

    /// Ends what the thread did, which `before` tells, and asks for what it does next. It sleeps while
    /// there is nothing to do. `after` begins what there is, under the same lock.
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
            // It sleeps only once, and others must not wait for that.
            self.wake(std::mem::take(&mut wakes));
            let woken = self.condvars[thread].wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        };
        self.begin(state, wakes, thread, work, after)
    }

    /// The same for a thread that is simulated: where there is nothing to do, it gets `None` in place
    /// of sleeping, and asks with [`resume`](Shared::resume) later.
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

    /// Begins the work that others have found since for a simulated thread that got `None`. Such a
    /// thread is among those that wait already, so it does not ask again.
    pub(crate) fn resume<R>(
        &self,
        thread: ThreadIndex,
        after: impl FnOnce(&mut Locked<'_, T, X>, Work) -> R,
    ) -> Option<R> {
        self.begin_if_any(self.lock(), PendingWakes::default(), thread, after)
    }

    /// Tells what the thread did, asks for it, and gives what else there is to others.
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

    /// Begins the thread's work, and wakes others when the lock is free.
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

    /// Makes the thread that polls come back.
    pub(crate) fn interrupt(&self) {
        (self.interrupt)();
    }

    /// Does something under the lock.
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

/// A port whose lock is held.
pub(crate) struct Locked<'a, T, X> {
    state: &'a mut SharedState<T, X>,
    /// The thread that holds it, if that is one of the port's: it need not be woken.
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

    /// Tells the core, and does what it answers.
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
                    // A turn that it was given and has not begun never begins.
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

    /// Makes the thread that polls come back.
    pub(crate) fn interrupt(&mut self) {
        self.wakes.interrupt = true;
    }

    /// The turn of the thread's key is over.
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

    /// The thread blocks in this turn; says whether it was not known to do so in that way, or one
    /// that says more.
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

    /// The thread goes on, in this turn, after it was found to block in that way.
    pub(crate) fn unblock(&mut self, thread: ThreadIndex, turn: u64, how: Blocked) {
        if self.turn(thread) == Some(turn) && self.state.threads[thread].blocked == Some(how) {
            self.state.threads[thread].blocked = None;
            self.handle(PortInput::Unblock);
        }
    }
}

#[cfg(test)]
mod tests;
