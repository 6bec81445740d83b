use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Key;
use crate::call::mailboxes::{ReplyReceiver, ReplySender, ReplySlot, WriteReply};
use crate::call::semaphore::Semaphore;
use crate::scheduler::current;
use crate::wake::Wake;

/// The time between two looks of a handler that waits at the pools.
const LOOK: Duration = Duration::from_millis(100);

/// A cell in which a plain thread waits for a permit and for the reply to its job.
pub(super) struct ReplyCell<R> {
    state: Mutex<CellState<R>>,
    changed: Condvar,
}

struct CellState<R> {
    /// The pool may have a permit for the job.
    permit_ready: bool,
    reply: CellReply<R>,
}

/// The reply in a [`ReplyCell`].
enum CellReply<R> {
    Pending,
    Ready(R),
    /// The job ended without a reply.
    Gone,
}

/// The error of a wait whose time has passed.
pub(super) struct TimedOut;

/// The key of the calls of plain threads, which need none, because a cell takes one reply.
pub(super) const NO_KEY: Key = Key::new(0, 0);

impl<R> Default for ReplyCell<R> {
    fn default() -> Self {
        let state = CellState { permit_ready: false, reply: CellReply::Pending };
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
            match std::mem::replace(&mut state.reply, CellReply::Pending) {
                CellReply::Ready(reply) => return Ok(Some(reply)),
                CellReply::Gone => return Ok(None),
                CellReply::Pending if closed => return Ok(None),
                CellReply::Pending => {}
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
        let (state, _) =
            self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        Ok(state)
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
        let mut slot = ReplySlot::None;
        if let Some(write) = write {
            write(&mut slot);
        }
        let reply = slot.and_then(|slot| slot.downcast::<Option<R>>().ok());
        self.lock().reply =
            reply.and_then(|reply| *reply).map_or(CellReply::Gone, CellReply::Ready);
        self.changed.notify_one();
    }
}
