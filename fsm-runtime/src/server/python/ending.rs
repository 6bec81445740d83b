use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::TimeSource;
use crate::lifecycle::drain::Drain;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::server::process::Process;

/// The end of the pool, as a thread sees it that waits for its process. If all threads do, none of them is in the
/// driver, which otherwise cuts a drain short.
#[derive(Debug)]
pub(super) struct Ending {
    state: Arc<PoolState>,
    drain: RefCell<Drain>,
}

impl Ending {
    pub(super) fn new(state: Arc<PoolState>, pool: &str, drain_within: Duration) -> Self {
        Self { state, drain: RefCell::new(Drain::new(pool.to_owned(), drain_within)) }
    }

    pub(super) fn phase(&self) -> Phase {
        self.drain.borrow_mut().begins(&self.state, Process::shared().time.now().millis);
        self.state.phase()
    }

    /// Whether jobs are not waited for any more.
    pub(super) fn is_closed(&self) -> bool {
        self.phase() == Phase::Close
    }
}
