use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::lifecycle::pool_state::PoolState;
use crate::server::snapshot;
use crate::{EndError, Filter, Key, Snapshot};

/// Takes snapshots of the pools of a pipeline. [`Pipeline::observer`](crate::Pipeline::observer) and
/// [`Running::observer`](crate::Running::observer) return one.
///
/// It is cheap to clone, and any thread may use it, also before the pools start and after they have ended.
#[derive(Clone)]
pub struct Observer {
    /// In the order of the pipeline.
    pools: Arc<[Arc<PoolState>]>,
}

impl Observer {
    pub(crate) fn new(pools: impl Iterator<Item = Arc<PoolState>>) -> Self {
        Self { pools: pools.collect() }
    }

    /// Returns all pools at work, each like [`Handle::snapshot`](crate::Handle::snapshot). All their ports are
    /// asked at the same time.
    pub fn snapshot(&self, within: Duration) -> Snapshot {
        self.snapshot_of(&Filter::new(), within)
    }

    /// Returns all pools at work like [`snapshot`](Observer::snapshot), with those connections and jobs that
    /// `filter` lets through.
    pub fn snapshot_of(&self, filter: &Filter, within: Duration) -> Snapshot {
        Snapshot { pools: snapshot::of_pools(&self.pools, filter, within) }
    }

    /// The pools, as far as they can be told without asking their ports.
    #[cfg(feature = "console")]
    pub(crate) fn facts(&self) -> Snapshot {
        Snapshot { pools: snapshot::facts_of_pools(&self.pools) }
    }

    /// Drains the pool with this name. Returns whether there is one.
    #[cfg(feature = "console")]
    pub(crate) fn drain(&self, name: &str) -> bool {
        let pool = self.pools.iter().find(|pool| &*pool.facts.name == name);
        pool.inspect(|pool| pool.drain()).is_some()
    }

    /// Ends a connection of the pools, like [`Handle::end`](crate::Handle::end).
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection ends.
    pub fn end(&self, key: Key, within: Duration) -> Result<(), EndError> {
        snapshot::end::connection(&self.pools, key, within)
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pools.iter().map(|pool| &pool.facts.name)).finish()
    }
}
