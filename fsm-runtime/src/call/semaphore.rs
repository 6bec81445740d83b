use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError};

use crate::Key;
use crate::snapshot::{Position, Room};
use crate::stats::Accounting;
use crate::sync::{Mutex, MutexGuard};
use crate::wake::Wake;

/// The permits of a pool, one for each connection or job that it may have, and the FIFO queue of
/// callers that wait for one.
///
/// The semaphore is fair: a released permit goes to the caller that has waited longest, and a later
/// caller cannot take it first. It accounts for every offer of another pool (X7): at all times,
/// offered = taken + refused + abandoned + waiting.
pub(crate) struct Semaphore {
    state: Mutex<SemaphoreState>,
    on_release: OnceLock<OnRelease>,
    /// The number of permits that are out in all pools of the drain group: see
    /// [`Semaphore::share_count`].
    group_out: OnceLock<Arc<AtomicUsize>>,
}

/// A function to call when a permit is free and no caller is queued.
type OnRelease = Box<dyn Fn() + Send + Sync>;

struct SemaphoreState {
    limit: usize,
    /// The number of permits that are handed out.
    out: usize,
    waiters: VecDeque<Arc<Waiter>>,
    /// The number of entries of `waiters` that were abandoned and are still in the queue.
    stale: usize,
    closed: bool,
    accounting: Accounting,
}

/// A caller in the queue.
struct Waiter {
    waker: Arc<dyn Wake>,
    key: Key,
    grant: Mutex<Grant>,
}

/// The state of a queued request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grant {
    /// It waits in the queue.
    Pending,
    /// It has a permit that the caller has not taken yet.
    Granted,
    /// The semaphore was closed while it waited.
    Closed,
    /// The caller took the permit or abandoned the request.
    Done,
}

/// The reason why a caller gets no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPermit {
    Full,
    Closed,
}

/// Room for one connection or job. Dropping it releases the permit.
#[must_use = "dropping it releases the permit"]
pub(crate) struct Permit {
    /// `None` after [`forget`](Self::forget).
    semaphore: Option<Arc<Semaphore>>,
    /// The peak includes it already.
    in_peak: bool,
}

/// A request for a permit in the queue. Dropping it abandons the request.
pub(crate) struct QueuedPermit {
    semaphore: Arc<Semaphore>,
    waiter: Arc<Waiter>,
}

impl Semaphore {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(SemaphoreState {
                limit,
                out: 0,
                waiters: VecDeque::new(),
                stale: 0,
                closed: false,
                accounting: Accounting::default(),
            }),
            on_release: OnceLock::new(),
            group_out: OnceLock::new(),
        }
    }

    /// Changes the number of permits. Additional permits go to queued callers first.
    pub(crate) fn set_limit(&self, limit: usize) {
        let mut state = self.state();
        state.limit = limit;
        let mut granted = Vec::new();
        while state.out < limit {
            let Some(waiter) = state.grant_next() else { break };
            self.hand_out(&mut state);
            state.update_peak();
            granted.push(waiter);
        }
        drop(state);
        for waiter in granted {
            waiter.wake();
        }
    }

    /// Sets the function that [`release_and_notify`](Self::release_and_notify) calls when a permit
    /// is free and no caller is queued. Only the first call has an effect, because a pool starts
    /// once.
    pub(crate) fn on_release(&self, function: OnRelease) {
        let _ = self.on_release.set(function);
    }

    /// Counts the permits that are out in `group_out`, too, which the pools of a drain group share.
    /// It counts a connection that moves between these pools all the time, because the connection
    /// takes the permit of its new pool before it releases that of its old one. Only the first call
    /// has an effect, because a pool starts once.
    pub(crate) fn share_count(&self, group_out: Arc<AtomicUsize>) {
        group_out.fetch_add(self.out(), Ordering::SeqCst);
        let _ = self.group_out.set(group_out);
    }

    /// The number of permits that are out in all pools of the drain group.
    pub(crate) fn group_out(&self) -> usize {
        let group_out = self.group_out.get();
        group_out.map_or_else(|| self.out(), |group_out| group_out.load(Ordering::SeqCst))
    }

    /// Counts one more permit as handed out.
    fn hand_out(&self, state: &mut SemaphoreState) {
        state.out += 1;
        if let Some(group_out) = self.group_out.get() {
            group_out.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The number of permits that are handed out.
    pub(crate) fn out(&self) -> usize {
        self.state().out
    }

    pub(crate) fn accounting(&self) -> Accounting {
        let state = self.state();
        let waiting = (state.waiters.len() - state.stale) as u64;
        Accounting { waiting, ..state.accounting }
    }

    /// The permits that are out, the bound on them, and the number of callers that wait.
    pub(crate) fn room(&self) -> Room {
        let state = self.state();
        let waiting = state.waiters.len() - state.stale;
        Room { taken: state.out, limit: state.limit, waiting }
    }

    /// The places of these callers in the queue. Looks at the whole queue under the lock.
    pub(crate) fn positions(&self, wanted: &HashSet<Key>) -> HashMap<Key, Position> {
        let state = self.state();
        let of = state.waiters.len() - state.stale;
        let pending = state.waiters.iter().filter(|waiter| *waiter.grant() == Grant::Pending);
        let numbered = pending.zip(1..).filter(|(waiter, _)| wanted.contains(&waiter.key));
        numbered.map(|(waiter, number)| (waiter.key, Position { number, of })).collect()
    }

    /// Takes a permit for a connection or job that no other pool offers; the accounting of offers
    /// does not count it.
    pub(crate) fn try_acquire(self: &Arc<Self>) -> Result<Permit, NoPermit> {
        let result = self.take(&mut self.state());
        result.map(|()| Permit { semaphore: Some(Arc::clone(self)), in_peak: false })
    }

    /// Takes a permit for an offer, or counts the offer as refused.
    pub(crate) fn try_offer(self: &Arc<Self>) -> Result<Permit, NoPermit> {
        let mut state = self.state();
        state.accounting.offered += 1;
        let result = self.take(&mut state);
        match result {
            Ok(()) => state.record_taken(),
            Err(_) => state.accounting.refused += 1,
        }
        drop(state);
        result.map(|()| self.offered_permit())
    }

    /// Takes a permit for an offer, or queues for one. A queued caller is woken with `key` when it
    /// has a permit and when the semaphore is closed. `waker` is called only to queue.
    pub(crate) fn offer_or_queue(
        self: &Arc<Self>,
        waker: impl FnOnce() -> Arc<dyn Wake>,
        key: Key,
    ) -> Result<Result<Permit, QueuedPermit>, NoPermit> {
        let mut state = self.state();
        state.accounting.offered += 1;
        match self.take(&mut state) {
            Ok(()) => {
                state.record_taken();
                drop(state);
                Ok(Ok(self.offered_permit()))
            }
            Err(NoPermit::Closed) => {
                state.accounting.refused += 1;
                Err(NoPermit::Closed)
            }
            Err(NoPermit::Full) => {
                let grant = Mutex::new(Grant::Pending);
                let waiter = Arc::new(Waiter { waker: waker(), key, grant });
                state.waiters.push_back(Arc::clone(&waiter));
                drop(state);
                Ok(Err(QueuedPermit { semaphore: Arc::clone(self), waiter }))
            }
        }
    }

    /// The permit of an offer; the accounting and the peak include it.
    #[inline]
    fn offered_permit(self: &Arc<Self>) -> Permit {
        Permit { semaphore: Some(Arc::clone(self)), in_peak: true }
    }

    #[inline]
    fn take(&self, state: &mut SemaphoreState) -> Result<(), NoPermit> {
        if state.closed {
            return Err(NoPermit::Closed);
        }
        // Queued callers come first.
        if state.out >= state.limit || state.waiters.len() > state.stale {
            return Err(NoPermit::Full);
        }
        self.hand_out(state);
        Ok(())
    }

    /// Refuses all queued and later callers.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let mut waiters = std::mem::take(&mut state.waiters);
        state.stale = 0;
        waiters.retain(|waiter| {
            let mut grant = waiter.grant();
            let pending = *grant == Grant::Pending;
            if pending {
                *grant = Grant::Closed;
                state.accounting.refused += 1;
            }
            pending
        });
        drop(state);
        for waiter in &waiters {
            waiter.wake();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Releases a permit. Calls the function of [`on_release`](Self::on_release) if no caller is
    /// queued.
    pub(crate) fn release_and_notify(&self) {
        if let (true, Some(on_release)) = (self.release(), self.on_release.get()) {
            on_release();
        }
    }

    /// Releases a permit. Returns whether no caller is queued; then the caller of this does the
    /// work of [`on_release`](Self::on_release).
    #[inline]
    pub(crate) fn release(&self) -> bool {
        let mut state = self.state();
        let next = if state.out <= state.limit { state.grant_next() } else { None };
        if let Some(waiter) = next {
            drop(state);
            waiter.wake();
            return false;
        }
        state.out -= 1;
        drop(state);
        if let Some(group_out) = self.group_out.get() {
            group_out.fetch_sub(1, Ordering::SeqCst);
        }
        true
    }

    #[inline]
    fn state(&self) -> MutexGuard<'_, SemaphoreState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SemaphoreState {
    /// Counts an offer as taken.
    #[inline]
    fn record_taken(&mut self) {
        self.accounting.taken += 1;
        self.update_peak();
    }

    #[inline]
    fn update_peak(&mut self) {
        self.accounting.peak = self.accounting.peak.max(self.out as u64);
    }

    /// Grants a permit to the first caller in the queue, and returns that caller for the wake-up.
    #[inline]
    fn grant_next(&mut self) -> Option<Arc<Waiter>> {
        while let Some(waiter) = self.waiters.pop_front() {
            let mut grant = waiter.grant();
            if *grant == Grant::Pending {
                *grant = Grant::Granted;
                self.accounting.taken += 1;
                drop(grant);
                return Some(waiter);
            }
            self.stale -= 1;
        }
        None
    }
}

impl Waiter {
    fn grant(&self) -> MutexGuard<'_, Grant> {
        self.grant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.waker.wake(self.key);
    }
}

impl QueuedPermit {
    /// Takes the permit if it is granted; `None` while the request is queued.
    pub(crate) fn poll(&mut self) -> Option<Result<Permit, NoPermit>> {
        let mut grant = self.waiter.grant();
        match *grant {
            Grant::Pending | Grant::Done => None,
            Grant::Granted => {
                *grant = Grant::Done;
                Some(Ok(self.semaphore.offered_permit()))
            }
            Grant::Closed => Some(Err(NoPermit::Closed)),
        }
    }
}

impl Drop for QueuedPermit {
    fn drop(&mut self) {
        // The order of locks is the same everywhere: the semaphore's state, then the waiter's
        // grant.
        let mut state = self.semaphore.state();
        let grant = std::mem::replace(&mut *self.waiter.grant(), Grant::Done);
        match grant {
            Grant::Pending => {
                state.accounting.abandoned += 1;
                state.stale += 1;
                // Removes stale entries when they are most of the queue, because a full pool would
                // otherwise never remove them.
                if state.stale > 64 && state.stale > state.waiters.len() / 2 {
                    state.waiters.retain(|waiter| *waiter.grant() == Grant::Pending);
                    state.stale = 0;
                }
            }
            Grant::Granted => {
                // `grant_next` counted the offer as taken, but the caller never took the permit.
                state.accounting.taken -= 1;
                state.accounting.abandoned += 1;
                drop(state);
                self.semaphore.release_and_notify();
            }
            Grant::Closed | Grant::Done => {}
        }
    }
}

impl Permit {
    /// Leaves the permit out without its guard. The caller releases it later with
    /// [`Semaphore::release`] or [`Semaphore::release_and_notify`].
    pub(crate) fn forget(mut self) {
        let semaphore = self.semaphore.take();
        if let (Some(semaphore), false) = (semaphore, self.in_peak) {
            semaphore.state().update_peak();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(semaphore) = &self.semaphore {
            semaphore.release_and_notify();
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("out", &self.out()).finish_non_exhaustive()
    }
}

#[cfg(all(test, any(loom, shuttle)))]
mod interleavings;
#[cfg(test)]
mod tests;
