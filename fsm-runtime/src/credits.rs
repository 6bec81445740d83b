use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use crate::Key;
use crate::sync::{Mutex, MutexGuard};

/// The room of a pool: how many connections or jobs it has, and who waits to bring one.
///
/// It is a semaphore that hands over: what becomes free goes to whoever has waited longest, so
/// that nobody who comes later takes it first. Its books balance: all that was ever offered was
/// taken or refused, or was abandoned while it waited, or waits.
pub(crate) struct Credits {
    state: Mutex<State>,
    freed: OnceLock<Freed>,
    /// The credits that are out of all pools that hand over to each other: see [`Credits::join`].
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
    books: Books,
}

/// What was offered to a pool from outside, and what became of it.
///
/// `offered` is the sum of the others but `most`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) offered: u64,
    pub(crate) taken: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) waiting: u64,
    /// The most credits that were out at a time, when one was offered or kept.
    pub(crate) most: u64,
}

struct Waiter {
    wakes: Arc<dyn Wakes>,
    key: Key,
    got: Mutex<Got>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Got {
    Nothing,
    Credit,
    Closed,
    /// It has left, or has what it waited for.
    Left,
}

/// Gives a turn to whoever waits for something.
pub(crate) trait Wakes: Send + Sync {
    fn wake(&self, key: Key);
}

/// Why there is no credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoCredit {
    Full,
    Closed,
}

/// Room for one more, which goes back when this is dropped.
#[must_use = "dropping it gives it back"]
pub(crate) struct Credit {
    /// `None` once it is kept.
    from: Option<Arc<Credits>>,
    /// It is in `most` already.
    noted: bool,
}

/// A place in the queue for a credit; dropping it leaves the queue.
pub(crate) struct Waiting {
    from: Arc<Credits>,
    waiter: Arc<Waiter>,
}

impl Credits {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                limit,
                out: 0,
                waiters: VecDeque::new(),
                left: 0,
                closed: false,
                books: Books::default(),
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
    pub(crate) fn on_freed(&self, freed: Freed) {
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

    pub(crate) fn books(&self) -> Books {
        let state = self.state();
        let waiting = (state.waiters.len() - state.left) as u64;
        Books { waiting, ..state.books }
    }

    /// Takes one for something that does not come from another pool; it is in no books.
    pub(crate) fn draw(self: &Arc<Self>) -> Result<Credit, NoCredit> {
        let taken = self.take(&mut self.state());
        taken.map(|()| Credit { from: Some(Arc::clone(self)), noted: false })
    }

    /// Takes one for what is offered now, which is `refused` else.
    pub(crate) fn offer(self: &Arc<Self>) -> Result<Credit, NoCredit> {
        let mut state = self.state();
        state.books.offered += 1;
        let taken = self.take(&mut state);
        match taken {
            Ok(()) => state.taken(),
            Err(_) => state.books.refused += 1,
        }
        drop(state);
        taken.map(|()| self.offered())
    }

    /// Takes one for what is offered now, or waits for one: `key` is woken when there is one, or
    /// when there will be none. Only who waits needs `wakes`.
    pub(crate) fn offer_or_wait(
        self: &Arc<Self>,
        wakes: impl FnOnce() -> Arc<dyn Wakes>,
        key: Key,
    ) -> Result<Result<Credit, Waiting>, NoCredit> {
        let mut state = self.state();
        state.books.offered += 1;
        match self.take(&mut state) {
            Ok(()) => {
                state.taken();
                drop(state);
                Ok(Ok(self.offered()))
            }
            Err(NoCredit::Closed) => {
                state.books.refused += 1;
                Err(NoCredit::Closed)
            }
            Err(NoCredit::Full) => {
                let waiter =
                    Arc::new(Waiter { wakes: wakes(), key, got: Mutex::new(Got::Nothing) });
                state.waiters.push_back(Arc::clone(&waiter));
                drop(state);
                Ok(Err(Waiting { from: Arc::clone(self), waiter }))
            }
        }
    }

    /// One that was offered, and is in the books.
    #[inline]
    fn offered(self: &Arc<Self>) -> Credit {
        Credit { from: Some(Arc::clone(self)), noted: true }
    }

    #[inline]
    fn take(&self, state: &mut State) -> Result<(), NoCredit> {
        if state.closed {
            return Err(NoCredit::Closed);
        }
        // Who waits comes first.
        if state.out >= state.limit || state.waiters.len() > state.left {
            return Err(NoCredit::Full);
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
        let mut told = vec![false; waiters.len()];
        for (waiter, told) in waiters.iter().zip(&mut told) {
            let mut got = waiter.got();
            if *got == Got::Nothing {
                *got = Got::Closed;
                state.books.refused += 1;
                *told = true;
            }
        }
        drop(state);
        for (waiter, _) in waiters.iter().zip(told).filter(|(_, told)| *told) {
            waiter.wake();
        }
    }

    /// A credit is free again.
    pub(crate) fn give_back(&self) {
        if let (true, Some(freed)) = (self.free(), self.freed.get()) {
            freed();
        }
    }

    /// A credit is free again; says whether nobody waits for it. Then its caller does what `on_freed`
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
        self.books.taken += 1;
        self.note();
    }

    /// There may be more out than ever before.
    #[inline]
    fn note(&mut self) {
        self.books.most = self.books.most.max(self.out as u64);
    }

    /// Grants a credit to the first that waits.
    #[inline]
    fn next(&mut self) -> Option<Arc<Waiter>> {
        while let Some(waiter) = self.waiters.pop_front() {
            let mut got = waiter.got();
            if *got == Got::Nothing {
                *got = Got::Credit;
                self.books.taken += 1;
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

impl Waiting {
    /// What came of it, if anything has.
    pub(crate) fn ready(&mut self) -> Option<Result<Credit, NoCredit>> {
        let mut got = self.waiter.got();
        match *got {
            Got::Nothing | Got::Left => None,
            Got::Credit => {
                *got = Got::Left;
                Some(Ok(self.from.offered()))
            }
            Got::Closed => Some(Err(NoCredit::Closed)),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // In the order in which the others take the locks.
        let mut state = self.from.state();
        let got = std::mem::replace(&mut *self.waiter.got(), Got::Left);
        match got {
            Got::Nothing => {
                state.books.abandoned += 1;
                state.left += 1;
                // Those who have left must not pile up.
                if state.left > 64 && state.left > state.waiters.len() / 2 {
                    state.waiters.retain(|waiter| *waiter.got() == Got::Nothing);
                    state.left = 0;
                }
            }
            Got::Credit => {
                // It was taken, and is given up again.
                state.books.taken -= 1;
                state.books.abandoned += 1;
                drop(state);
                self.from.give_back();
            }
            Got::Closed | Got::Left => {}
        }
    }
}

impl Credit {
    /// Whoever holds it gives it back by hand.
    pub(crate) fn keep(mut self) {
        let from = self.from.take();
        if let (Some(from), false) = (from, self.noted) {
            from.state().note();
        }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        if let Some(from) = &self.from {
            from.give_back();
        }
    }
}

impl fmt::Debug for Credits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credits").field("out", &self.out()).finish_non_exhaustive()
    }
}

// With its path, for the checks of `tests/loom` compile this file, too.
#[cfg(test)]
#[path = "credits/tests.rs"]
mod tests;
