use std::sync::Arc;

use crate::call::service::PoolEntry;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::observe::Observe;
use crate::scheduler::watchdog::{Watchdog, WatchedPort};
use crate::server::handover::Handover;
use crate::server::plan::Plan;
use crate::server::thread::ThreadMain;
use crate::server::wired::{Wired, WiredPool};
use crate::{Address, Pool, PoolError};

/// The second step of a launch, after the [`Plan`]: all pools listen and have their ports, but no
/// thread runs yet, and no pool knows another one.
pub(crate) struct Bound {
    plan: Plan,
    /// In the order of the pipeline, as in `plan`.
    pools: Vec<BoundPool>,
}

/// A pool that listens on its addresses and has its ports.
pub(crate) struct BoundPool {
    pub(crate) name: String,
    pub(crate) state: Arc<PoolState>,
    /// With the TCP ports that the system chose.
    pub(crate) addresses: Vec<Address>,
    /// Makes an entry to this pool for another one.
    pub(crate) entry: Box<dyn Fn() -> PoolEntry>,
    /// The ports that the watchdog looks at.
    pub(crate) watched: Vec<Arc<dyn Observe>>,
    pub(crate) threads: Vec<ThreadMain>,
}

/// Binds a pool to its addresses and makes its ports.
pub(crate) type Bind = Box<dyn FnOnce(&mut Handover) -> Result<BoundPool, PoolError> + Send>;

impl Bound {
    /// Binds the pools one after another. If one fails, those before it are closed.
    pub(crate) fn new(
        plan: Plan,
        pools: Vec<Pool>,
        handover: &mut Handover,
    ) -> Result<Self, PoolError> {
        let mut bound = Self { plan, pools: Vec::with_capacity(pools.len()) };
        for pool in pools {
            match BoundPool::new(pool, handover) {
                Ok(pool) => bound.pools.push(pool),
                Err(error) => {
                    bound.pools.iter().for_each(|pool| pool.state.close());
                    return Err(error);
                }
            }
        }
        Ok(bound)
    }

    /// Gives each pool the entries to those that its routes lead to, joins the pools that drain
    /// together, and starts the watchdog.
    pub(crate) fn wire(self) -> Wired {
        let Self { plan, pools } = self;
        // All entries are made before a pool is taken apart, since routes lead forwards and
        // backwards.
        let routes: Vec<Arc<[PoolEntry]>> = plan
            .targets
            .iter()
            .map(|targets| targets.iter().map(|target| (pools[*target].entry)()).collect())
            .collect();
        for group in plan.drain_groups.iter().filter(|group| group.len() > 1) {
            let states: Vec<_> = group.iter().map(|pool| Arc::clone(&pools[*pool].state)).collect();
            PoolState::join(&states);
        }
        let watchdog = watch(&pools);
        let pools = pools.into_iter().zip(routes);
        let pools = pools.map(|(pool, routes)| WiredPool::new(pool, routes)).collect();
        Wired { pools, drain_order: plan.drain_order, watchdog }
    }
}

impl BoundPool {
    fn new(pool: Pool, handover: &mut Handover) -> Result<Self, PoolError> {
        if pool.has_connections() && !pool.spec.rests() {
            crate::log::warn!(
                pool = pool.name,
                machine = pool.machine,
                "no state is at rest, so a drain waits for its whole time; mark one with `#[rest]`"
            );
        }
        let bound = (pool.bind)(handover)?;
        for address in &bound.addresses {
            crate::log::info!(pool = bound.name, %address, "listening");
        }
        Ok(bound)
    }
}

fn watch(pools: &[BoundPool]) -> Watchdog {
    let ports = pools.iter().flat_map(|pool| {
        let ports = pool.watched.iter().map(Arc::clone);
        ports.map(|port| WatchedPort::new(pool.name.clone(), port))
    });
    Watchdog::start(ports.collect())
}
