use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::scheduler::alarm::Alarm;
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::shared::Blocked;
use crate::{Key, Spec};

/// A port, as the handlers that it runs see it. They may block.
pub(crate) trait BlockTracker: Send + Sync {
    /// Records that the thread blocks in this turn. Returns whether this was not known.
    fn block(&self, thread: ThreadIndex, turn: u64, how: Blocked) -> bool;
    /// Records that the thread goes on, if it was known to block in that way.
    fn unblock(&self, thread: ThreadIndex, turn: u64, how: Blocked);
}

/// Ignores that a handler blocks, because no other thread could run in its place.
pub(crate) struct Untracked;

impl BlockTracker for Untracked {
    fn block(&self, _: ThreadIndex, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: ThreadIndex, _: u64, _: Blocked) {}
}

/// A port without the type of its machine, as its pool and the watchdog see it.
pub(crate) trait Observe: BlockTracker + fmt::Debug {
    /// Appends the threads that run a turn. Returns whether packets wait although a thread is idle,
    /// because `max_running` threads run handlers.
    fn running(&self, into: &mut Vec<RunningTurn>) -> bool;
    /// Notes that a thread ran this turn at `now`. Returns when the turn was seen first.
    fn seen(&self, thread: ThreadIndex, turn: u64, now: Instant) -> Instant;
    /// Whether all its threads have ended.
    fn has_ended(&self) -> bool;
    /// The number of its threads.
    fn threads(&self) -> usize;
    /// The most of its threads that run handlers at a time.
    fn max_running(&self) -> usize;
    /// Whether a thread is awake that may run a turn without waking the watchdog again.
    fn is_up(&self) -> bool;
    fn spec(&self) -> &'static Spec;
    fn set_alarm(&self, watchdog: &Arc<Alarm>);
    fn interrupt(&self);
    fn drain(&self);
    fn close(&self);
}

/// A thread that runs a turn.
#[derive(Clone, Debug)]
pub(crate) struct RunningTurn {
    pub(crate) thread: ThreadIndex,
    pub(crate) key: Key,
    pub(crate) turn: u64,
    pub(crate) blocked: Option<Blocked>,
    /// The index of the state whose handler it runs.
    pub(crate) state: usize,
    pub(crate) id: Option<Arc<str>>,
}
