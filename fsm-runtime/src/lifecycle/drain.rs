use std::time::Duration;

use crate::lifecycle::pool_state::{Phase, PoolState};

/// How a port drains.
#[derive(Debug)]
pub(crate) struct Drain {
    pool: String,
    patience: u64,
    /// When it ends at the latest, once it has begun.
    by: Option<u64>,
}

impl Drain {
    pub(crate) fn new(pool: String, patience: Duration) -> Self {
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        Self { pool, patience, by: None }
    }

    /// Whether it is to begin now. When its time is over everything is closed.
    pub(crate) fn begins(&mut self, pool_state: &PoolState, now: u64) -> bool {
        if pool_state.phase() != Phase::Drain {
            return false;
        }
        match self.by {
            None => {
                self.by = Some(now.saturating_add(self.patience));
                true
            }
            Some(by) => {
                if by <= now {
                    let open = pool_state.semaphore.out();
                    tracing::warn!(pool = self.pool, open, "the drain time is over; closing");
                    pool_state.give(Phase::Close);
                }
                false
            }
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.by.is_some()
    }

    /// When everything is closed at the latest.
    pub(crate) fn ends_by(&self, pool_state: &PoolState) -> Option<u64> {
        self.by.filter(|_| pool_state.phase() == Phase::Drain)
    }
}
