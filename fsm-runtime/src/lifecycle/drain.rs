use std::time::Duration;

use crate::clock::whole_millis;
use crate::lifecycle::pool_state::{Phase, PoolState};

/// The drain of one port: whether it has begun, and when it times out.
#[derive(Debug)]
pub(crate) struct Drain {
    pool: String,
    /// The longest that the drain may take, in milliseconds.
    timeout: u64,
    /// The time at which the drain is cut short, once it has begun.
    deadline: Option<u64>,
}

impl Drain {
    pub(crate) fn new(pool: String, timeout: Duration) -> Self {
        Self { pool, timeout: whole_millis(timeout), deadline: None }
    }

    /// Returns whether the port must begin its drain: true at the first call in which the pool drains.
    /// Later calls close the pool if the drain has timed out.
    pub(crate) fn begins(&mut self, pool_state: &PoolState, now: u64) -> bool {
        if pool_state.phase() != Phase::Drain {
            return false;
        }
        let Some(deadline) = self.deadline else {
            self.deadline = Some(now.saturating_add(self.timeout));
            return true;
        };
        if deadline <= now {
            let open = pool_state.permits.out();
            crate::log::warn!(pool = self.pool, open, "the drain timed out; closing what is left");
            pool_state.close();
        }
        false
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.deadline.is_some()
    }

    /// The time at which the drain is cut short, while the pool drains.
    pub(crate) fn deadline(&self, pool_state: &PoolState) -> Option<u64> {
        self.deadline.filter(|_| pool_state.phase() == Phase::Drain)
    }
}
