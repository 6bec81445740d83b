use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::lifecycle::pool_state::PoolState;
use crate::server::snapshot;
use crate::{Filter, Snapshot};

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
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pools.iter().map(|pool| &pool.facts.name)).finish()
    }
}
