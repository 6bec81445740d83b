use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use crate::Key;
use crate::stats::Accounting;
use crate::sync::{Mutex, MutexGuard};
use crate::wake::Wake;

/// The room of a pool: how many connections or jobs it has, and who waits to bring one.
///
/// It is a semaphore that hands over: what becomes free goes to whoever has waited longest, so
/// that nobody who comes later takes it first. Its books balance: all that was ever offered was
/// taken or refused, or was abandoned while it waited, or waits.
pub(crate) struct Semaphore {
    state: Mutex<State>,
    freed: OnceLock<Freed>,
    /// The credits that are out of all pools that hand over to each other: see [`Semaphore::join`].
    sum: OnceLock<Arc<AtomicUsize>>,
}

/// What is done when a credit is free and nobody waits for it.
type Freed = Box<dyn Fn() + Send + Sync>;

struct State {
    limit: usize,
    /// Credits that are given out.
    out: usize,
    waiters: VecDeque<Arc<Waiter>>,
    /// Those in `waiters` that do not wait any more.
    left: usize,
    closed: bool,
    accounting: Accounting,
}

struct Waiter {
    wakes: Arc<dyn Wake>,
    key: Key,
    got: Mutex<Got>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Nothing,
    Permit,
    Closed,
    /// It has left, or has what it waited for.
    Left,
}

/// Why there is no credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPermit {
    Full,
    Closed,
}

/// Room for one more, which goes back when this is dropped.
#[must_use = "dropping it gives it back"]
pub(crate) struct Permit {
    /// `None` once it is kept.
    from: Option<Arc<Semaphore>>,
    /// It is in `most` already.
    noted: bool,
}

/// A place in the queue for a credit; dropping it leaves the queue.
pub(crate) struct QueuedPermit {
    from: Arc<Semaphore>,
    waiter: Arc<Waiter>,
}

impl Semaphore {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                limit,
                out: 0,
                waiters: VecDeque::new(),
                left: 0,
                closed: false,
                accounting: Accounting::default(),
            }),
            freed: OnceLock::new(),
            sum: OnceLock::new(),
        }
    }

    /// Changes how many there are. Those that wait get what there is more of.
    pub(crate) fn set_limit(&self, limit: usize) {
        let mut state = self.state();
        state.limit = limit;
        let mut woken = Vec::new();
        while state.out < limit {
            let Some(waiter) = state.next() else { break };
            self.give(&mut state);
            state.note();
            woken.push(waiter);
        }
        drop(state);
        for waiter in woken {
            waiter.wake();
        }
    }

    /// What to do when a credit is free and nobody waits for it, by whatever way it came back.
    pub(crate) fn on_release(&self, freed: Freed) {
        // A pool starts once.
        let _ = self.freed.set(freed);
    }

    /// Counts what is out here into a sum with others. What moves between them is in it all the time,
    /// since a credit is taken where it goes before the one is given back where it comes from.
    pub(crate) fn join(&self, sum: Arc<AtomicUsize>) {
        sum.fetch_add(self.out(), Ordering::SeqCst);
        // A pool starts once.
        let _ = self.sum.set(sum);
    }

    /// The credits that are out here and where it has joined.
    pub(crate) fn out_of_all(&self) -> usize {
        self.sum.get().map_or_else(|| self.out(), |sum| sum.load(Ordering::SeqCst))
    }

    /// One more is out.
    fn give(&self, state: &mut State) {
        state.out += 1;
        if let Some(sum) = self.sum.get() {
            sum.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The credits that are given out.
    pub(crate) fn out(&self) -> usize {
        self.state().out
    }

    pub(crate) fn accounting(&self) -> Accounting {
        let state = self.state();
        let waiting = (state.waiters.len() - state.left) as u64;
        Accounting { waiting, ..state.accounting }
    }

    /// Takes one for something that does not come from another pool; it is in no books.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Result<Permit, NoPermit> {
        let taken = self.take(&mut self.state());
        taken.map(|()| Permit { from: Some(Arc::clone(self)), noted: false })
    }

    /// Takes one for what is offered now, which is `refused` else.
    pub(crate) fn try_offer(self: &Arc<Self>) -> Result<Permit, NoPermit> {
        let mut state = self.state();
        state.accounting.offered += 1;
        let taken = self.take(&mut state);
        match taken {
            Ok(()) => state.taken(),
            Err(_) => state.accounting.refused += 1,
        }
        drop(state);
        taken.map(|()| self.offered())
    }

    /// Takes one for what is offered now, or waits for one: `key` is woken when there is one, or
    /// when there will be none. Only who waits needs `wakes`.
    pub(crate) fn offer_or_queue(
        self: &Arc<Self>,
        wakes: impl FnOnce() -> Arc<dyn Wake>,
        key: Key,
    ) -> Result<Result<Permit, QueuedPermit>, NoPermit> {
        let mut state = self.state();
        state.accounting.offered += 1;
        match self.take(&mut state) {
            Ok(()) => {
                state.taken();
                drop(state);
                Ok(Ok(self.offered()))
            }
            Err(NoPermit::Closed) => {
                state.accounting.refused += 1;
                Err(NoPermit::Closed)
            }
            Err(NoPermit::Full) => {
                let waiter =
                    Arc::new(Waiter { wakes: wakes(), key, got: Mutex::new(Got::Nothing) });
                state.waiters.push_back(Arc::clone(&waiter));
                drop(state);
                Ok(Err(QueuedPermit { from: Arc::clone(self), waiter }))
            }
        }
    }

    /// One that was offered, and is in the books.
    #[inline]
    fn offered(self: &Arc<Self>) -> Permit {
        Permit { from: Some(Arc::clone(self)), noted: true }
    }

    #[inline]
    fn take(&self, state: &mut State) -> Result<(), NoPermit> {
        if state.closed {
            return Err(NoPermit::Closed);
        }
        // Who waits comes first.
        if state.out >= state.limit || state.waiters.len() > state.left {
            return Err(NoPermit::Full);
        }
        self.give(state);
        Ok(())
    }

    /// No more credits: those that wait learn it.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let waiters = std::mem::take(&mut state.waiters);
        state.left = 0;
        let mut enqueue = vec![false; waiters.len()];
        for (waiter, enqueue) in waiters.iter().zip(&mut enqueue) {
            let mut got = waiter.got();
            if *got == Got::Nothing {
                *got = Got::Closed;
                state.accounting.refused += 1;
                *enqueue = true;
            }
        }
        drop(state);
        for (waiter, _) in waiters.iter().zip(enqueue).filter(|(_, enqueue)| *enqueue) {
            waiter.wake();
        }
    }

    /// A credit is free again.
    pub(crate) fn release_and_notify(&self) {
        if let (true, Some(freed)) = (self.free(), self.freed.get()) {
            freed();
        }
    }

    /// A credit is free again; says whether nobody waits for it. Then its caller does what `on_release`
    /// was told.
    #[inline]
    pub(crate) fn free(&self) -> bool {
        let mut state = self.state();
        let next = if state.out <= state.limit { state.next() } else { None };
        if let Some(waiter) = next {
            drop(state);
            waiter.wake();
            return false;
        }
        state.out -= 1;
        drop(state);
        if let Some(sum) = self.sum.get() {
            sum.fetch_sub(1, Ordering::SeqCst);
        }
        true
    }

    #[inline]
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What was offered is taken.
    #[inline]
    fn taken(&mut self) {
        self.accounting.taken += 1;
        self.note();
    }

    /// There may be more out than ever before.
    #[inline]
    fn note(&mut self) {
        self.accounting.peak = self.accounting.peak.max(self.out as u64);
    }

    /// Grants a credit to the first that waits.
    #[inline]
    fn next(&mut self) -> Option<Arc<Waiter>> {
        while let Some(waiter) = self.waiters.pop_front() {
            let mut got = waiter.got();
            if *got == Got::Nothing {
                *got = Got::Permit;
                self.accounting.taken += 1;
                drop(got);
                return Some(waiter);
            }
            self.left -= 1;
        }
        None
    }
}

impl Waiter {
    fn got(&self) -> MutexGuard<'_, Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.wakes.wake(self.key);
    }
}

impl QueuedPermit {
    /// What came of it, if anything has.
    pub(crate) fn poll(&mut self) -> Option<Result<Permit, NoPermit>> {
        let mut got = self.waiter.got();
        match *got {
            Got::Nothing | Got::Left => None,
            Got::Permit => {
                *got = Got::Left;
                Some(Ok(self.from.offered()))
            }
            Got::Closed => Some(Err(NoPermit::Closed)),
        }
    }
}

impl Drop for QueuedPermit {
    fn drop(&mut self) {
        // In the order in which the others take the locks.
        let mut state = self.from.state();
        let got = std::mem::replace(&mut *self.waiter.got(), Got::Left);
        match got {
            Got::Nothing => {
                state.accounting.abandoned += 1;
                state.left += 1;
                // Those who have left must not pile up.
                if state.left > 64 && state.left > state.waiters.len() / 2 {
                    state.waiters.retain(|waiter| *waiter.got() == Got::Nothing);
                    state.left = 0;
                }
            }
            Got::Permit => {
                // It was taken, and is given up again.
                state.accounting.taken -= 1;
                state.accounting.abandoned += 1;
                drop(state);
                self.from.release_and_notify();
            }
            Got::Closed | Got::Left => {}
        }
    }
}

impl Permit {
    /// Whoever holds it gives it back by hand.
    pub(crate) fn keep(mut self) {
        let from = self.from.take();
        if let (Some(from), false) = (from, self.noted) {
            from.state().note();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(from) = &self.from {
            from.release_and_notify();
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credits").field("out", &self.out()).finish_non_exhaustive()
    }
}

#[cfg(all(test, any(loom, shuttle)))]
mod interleavings;
#[cfg(test)]
mod tests;
