use std::fmt;
use std::sync::Arc;

use crate::scheduler::alarm::Alarm;
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::shared::Blocked;
use crate::{Key, Spec};

/// A port to the handlers that it runs, which may block.
pub(crate) trait BlockTracker: Send + Sync {
    /// The thread blocks in this turn; says whether it was not known to do so in that way.
    fn block(&self, thread: ThreadIndex, turn: u64, how: Blocked) -> bool;
    /// It goes on, if it was known to block in that way.
    fn unblock(&self, thread: ThreadIndex, turn: u64, how: Blocked);
}

/// A port to those who know nothing of its machine: its pool, and the watchdog.
pub(crate) trait Observe: BlockTracker + fmt::Debug {
    /// Appends the threads that run a turn. Says whether packets wait though there is a thread for
    /// them, only because the cap is reached.
    fn running(&self, into: &mut Vec<RunningTurn>) -> bool;
    /// Whether a thread is up that may run a turn without another call of the watchdog.
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
