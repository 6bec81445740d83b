use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::Key;
use crate::call::reply::{ReplyReceiver, ReplySender, WriteReply, read_reply};
use crate::call::semaphore::Semaphore;
use crate::panics::caught;
use crate::scheduler::current;
use crate::sync::{Condvar, Mutex, MutexGuard};
use crate::wake::Wake;

/// The time between two looks of a handler that waits at the pools.
const LOOK: Duration = Duration::from_millis(100);

/// A cell in which a plain thread waits for a permit, and a thread or a task of an async program for the
/// reply to its job.
pub(super) struct ReplyCell<R> {
    state: Mutex<CellState<R>>,
    changed: Condvar,
}

struct CellState<R> {
    /// The pool may have a permit for the job.
    permit_ready: bool,
    reply: CellReply<R>,
    /// Wakes the task that polled for the reply last.
    waker: Option<Waker>,
}

/// The reply in a [`ReplyCell`].
enum CellReply<R> {
    Pending,
    Ready(R),
    /// The job ended without a reply, or the reply was taken.
    Gone,
}

/// The error of a wait whose time has passed.
pub(super) struct TimedOut;

/// The key of the calls of plain threads, which need none, because a cell takes one reply.
pub(super) const NO_KEY: Key = Key::new(0, 0);

impl<R> Default for ReplyCell<R> {
    fn default() -> Self {
        let state = CellState { permit_ready: false, reply: CellReply::Pending, waker: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<R> ReplyCell<R> {
    /// Waits for the reply, until `until` at most. Returns `None` if the job ended without a reply.
    /// A handler waits no longer when its pool and the job's, which has these permits, are closed, because
    /// the job may wait for the handler's thread to end.
    pub(super) fn wait_for_reply(
        &self,
        permits: &Arc<Semaphore>,
        until: Option<Instant>,
    ) -> Result<Option<R>, TimedOut> {
        let mut warned = false;
        loop {
            // Before the look at the reply, because a pool that has drained has sent it before it closed.
            let closed = permits.is_closed() && current::is_closed();
            let mut state = self.lock();
            match state.take_reply() {
                Poll::Ready(reply) => return Ok(reply),
                Poll::Pending if closed => return Ok(None),
                Poll::Pending => {}
            }
            // Only a handler looks, so no other thread wakes up for nothing.
            let look = current::runs_handlers().then(|| Instant::now() + LOOK);
            drop(self.sleep(state, look.into_iter().chain(until).min())?);
            let looks = look.is_some_and(|look| look <= Instant::now());
            if looks && !std::mem::replace(&mut warned, true) {
                current::warn_of_own_job(permits);
            }
        }
    }

    /// Takes the reply, which is `None` if the job ended without one or the reply was taken before. If there
    /// is neither, the task of the context is woken when there is, and a task that polled earlier is not.
    pub(super) fn poll_reply(&self, context: &Context<'_>) -> Poll<Option<R>> {
        // Clones and drops wakers without the lock, because they are not ours and may call this cell.
        let waker = context.waker().clone();
        let mut state = self.lock();
        let reply = state.take_reply();
        let before =
            if reply.is_pending() { state.waker.replace(waker) } else { state.waker.take() };
        drop(state);
        drop(before);
        reply
    }

    /// Drops the waker of the last poll.
    pub(super) fn forget_waker(&self) {
        let waker = self.lock().waker.take();
        // After the lock is released.
        drop(waker);
    }

    /// Waits until the pool may have a permit, until `until` at most.
    pub(super) fn wait_for_permit(&self, until: Option<Instant>) -> Result<(), TimedOut> {
        let mut state = self.lock();
        while !std::mem::replace(&mut state.permit_ready, false) {
            state = self.sleep(state, until)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, CellState<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the state may have changed, until `until` at most.
    fn sleep<'a>(
        &'a self,
        state: MutexGuard<'a, CellState<R>>,
        until: Option<Instant>,
    ) -> Result<MutexGuard<'a, CellState<R>>, TimedOut> {
        let Some(until) = until else {
            return Ok(self.changed.wait(state).unwrap_or_else(PoisonError::into_inner));
        };
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        let left = left.ok_or(TimedOut)?;
        let waited = self.changed.wait_timeout(state, left);
        Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}

impl<R> CellState<R> {
    fn take_reply(&mut self) -> Poll<Option<R>> {
        match std::mem::replace(&mut self.reply, CellReply::Gone) {
            CellReply::Ready(reply) => Poll::Ready(Some(reply)),
            CellReply::Gone => Poll::Ready(None),
            CellReply::Pending => {
                self.reply = CellReply::Pending;
                Poll::Pending
            }
        }
    }
}

impl<R: Send + 'static> ReplyCell<R> {
    /// The sender of the reply to this cell.
    pub(super) fn sender(self: &Arc<Self>) -> ReplySender {
        ReplySender::new(Arc::<Self>::clone(self), NO_KEY, 0)
    }
}

impl<R: Send> Wake for ReplyCell<R> {
    fn wake(&self, _: Key) {
        self.lock().permit_ready = true;
        self.changed.notify_one();
    }
}

impl<R: Send + 'static> ReplyReceiver for ReplyCell<R> {
    fn deliver(&self, _: Key, _: u32, write: Option<&mut WriteReply<'_>>) {
        let reply = read_reply(write);
        let mut state = self.lock();
        state.reply = reply.map_or(CellReply::Gone, CellReply::Ready);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_one();
        // The executor's code runs on a thread of the pool, where its panic must end nothing.
        if waker.is_some_and(|waker| caught(|| waker.wake()).is_none()) {
            crate::log::error!("the waker of a task that awaits a job panicked");
        }
    }
}

#[cfg(all(test, any(loom, shuttle)))]
mod interleavings;
