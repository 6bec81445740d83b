use std::sync::Arc;

use crate::call::service::PoolEntry;
use crate::scheduler::watchdog::Watchdog;
use crate::server::bound::BoundPool;
use crate::server::running::RunningPool;
use crate::server::thread::{OnThreadEnd, ThreadMain};
use crate::{PoolError, Running};

/// The third step of a launch: the pools know each other, and the watchdog runs. All that is
/// missing are their threads.
pub(crate) struct Wired {
    /// In the order of the pipeline.
    pub(crate) pools: Vec<WiredPool>,
    /// The numbers of the pools, in the order in which they drain; those of one step together.
    pub(crate) drain_order: Vec<Vec<usize>>,
    pub(crate) watchdog: Watchdog,
}

/// A pool without its threads, and the arguments with which they start.
pub(crate) struct WiredPool {
    pool: RunningPool,
    start: PoolStart,
}

/// The threads of a pool before they start.
#[derive(Default)]
pub(crate) struct PoolStart {
    pub(crate) threads: Vec<ThreadMain>,
    /// The entries to the pools that the pool calls and hands over to, by the number of the route.
    pub(crate) routes: Arc<[PoolEntry]>,
}

impl WiredPool {
    pub(crate) fn new(bound: BoundPool, routes: Arc<[PoolEntry]>) -> Self {
        let BoundPool { name, state, addresses, threads, .. } = bound;
        let pool = RunningPool::new(name, state, addresses);
        Self { pool, start: PoolStart { threads, routes } }
    }
}

impl Wired {
    /// Starts the threads of all pools, and returns when they are ready. A pool is ready before
    /// those that call it start.
    ///
    /// If one fails, all pools are closed, also those that have not started, because threads may
    /// wait for room in them.
    pub(crate) fn start(self, on_thread_end: &OnThreadEnd) -> Result<Running, PoolError> {
        let Self { pools, drain_order, watchdog } = self;
        // Callers drain before those that they call, so this is the reverse of the order of calls.
        let start_order: Vec<usize> = drain_order.iter().rev().flatten().copied().collect();
        let (pools, mut starts): (Vec<RunningPool>, Vec<PoolStart>) =
            pools.into_iter().map(|wired| (wired.pool, wired.start)).unzip();
        // If this is dropped because of an error, it closes all pools and waits for their threads.
        let mut running = Running::new(pools, drain_order, watchdog);
        for index in start_order {
            let start = std::mem::take(&mut starts[index]);
            running.start_pool(index, start, on_thread_end)?;
        }
        Ok(running)
    }
}
