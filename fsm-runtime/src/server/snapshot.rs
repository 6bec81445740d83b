//! Takes snapshots: asks the ports of pools, and puts their answers together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::lifecycle::facts::CallTarget;
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::scheduler::survey::{Count, Found, Question};
use crate::{EdgeCount, Filter, PoolPhase, PoolSnapshot, PortSnapshot, RouteSnapshot, StateCount};

mod asked;
pub(crate) mod end;
mod places;
mod threads;

use asked::{Asked, WaitEnd};

/// How often a job that waits for a job of its own is followed to that one.
const DEPTH: usize = 4;

/// Takes a snapshot of one pool.
pub(crate) fn of_pool(pool: &Arc<PoolState>, filter: &Filter, within: Duration) -> PoolSnapshot {
    let mut taken = of_pools(std::slice::from_ref(pool), filter, within);
    taken
        .pop()
        .unwrap_or_else(|| PoolAnswer::default().complete(pool, filter, WaitEnd::after(within)))
}

/// Takes a snapshot of several pools.
pub(crate) fn of_pools(
    pools: &[Arc<PoolState>],
    filter: &Filter,
    within: Duration,
) -> Vec<PoolSnapshot> {
    // The rest of the time is for the jobs that connections wait for.
    let (first, last) = (WaitEnd::after(within / 4 * 3), WaitEnd::after(within));
    let asked: Vec<Asked> =
        pools.iter().map(|pool| Asked::ask(pool, question(pool, filter))).collect();
    let answers: Vec<PoolAnswer> = asked.into_iter().map(|asked| asked.wait(first)).collect();
    let answers = pools.iter().zip(answers);
    answers.map(|(pool, answer)| answer.complete(pool, filter, last)).collect()
}

fn question(pool: &PoolState, filter: &Filter) -> Question {
    let states = pool.facts.spec.states;
    let state = filter.state.as_deref().map(|name| states.iter().position(|s| s.name == name));
    // No connection is described in a pool that is not meant, or whose machine has no such state.
    let of_pool = filter.pool.as_deref().is_none_or(|name| *name == *pool.facts.name);
    let limit = if of_pool && state != Some(None) { filter.limit } else { 0 };
    let label = filter.label.clone();
    Question { key: filter.key, label, ..Question::new(state.flatten(), filter.older, limit) }
}

/// The answers of the ports of a pool.
#[derive(Default)]
struct PoolAnswer {
    /// The numbers of the ports that answered.
    ports: Vec<usize>,
    /// By the index of the state.
    counts: Vec<Count>,
    /// The oldest first.
    found: Vec<Found>,
}

impl PoolAnswer {
    /// Adds the facts that are there without a walk, and where jobs are.
    fn complete(self, pool: &Arc<PoolState>, filter: &Filter, until: WaitEnd) -> PoolSnapshot {
        let Self { ports: answered, counts, mut found } = self;
        found.truncate(filter.limit);
        let tasks = places::tasks(pool, &found, until, DEPTH);
        let spec = pool.facts.spec;
        let states = spec.states.iter().enumerate().map(|(index, state)| {
            let Count { count, oldest } = counts.get(index).copied().unwrap_or_default();
            StateCount { state, count, oldest }
        });
        PoolSnapshot {
            name: Arc::clone(&pool.facts.name),
            spec,
            phase: match pool.phase() {
                Phase::Run => PoolPhase::Serves,
                Phase::Drain => PoolPhase::Drains,
                Phase::Close => PoolPhase::Closed,
            },
            stats: pool.stats(),
            journeys: pool.journeys.snapshot(),
            room: pool.permits.room(),
            job_room: pool.connection_jobs().map(|jobs| jobs.permits().room()),
            ports: ports(pool, &answered),
            routes: routes(pool),
            states: states.collect(),
            edges: edges(pool),
            tasks,
        }
    }
}

/// The facts that are there without a walk.
#[cfg(feature = "console")]
pub(crate) fn facts_of_pools(pools: &[Arc<PoolState>]) -> Vec<PoolSnapshot> {
    let (filter, now) = (Filter::new().limit(0), WaitEnd::after(Duration::ZERO));
    pools.iter().map(|pool| PoolAnswer::default().complete(pool, &filter, now)).collect()
}

#[cfg(feature = "transitions")]
fn edges(pool: &PoolState) -> Vec<EdgeCount> {
    let counted = pool.facts.spec.edges().zip(pool.edges.sums());
    counted.map(|((state, edge), count)| EdgeCount { state, edge, count }).collect()
}

#[cfg(not(feature = "transitions"))]
fn edges(_: &PoolState) -> Vec<EdgeCount> {
    Vec::new()
}

fn routes(pool: &PoolState) -> Vec<RouteSnapshot> {
    let routes = pool.facts.targets().filter_map(|CallTarget { state, pool: target }| {
        let state = pool.facts.spec.states.iter().find(|found| found.name == *state)?;
        Some(RouteSnapshot { state, pool: Arc::clone(&target.upgrade()?.facts.name) })
    });
    routes.collect()
}

fn ports(pool: &PoolState, answered: &[usize]) -> Vec<PortSnapshot> {
    let (name, now) = (&pool.facts.name, Instant::now());
    let ports = pool.facts.ports().enumerate();
    let ports = ports.filter_map(|(number, port)| {
        let observed = port.port()?;
        Some(PortSnapshot {
            number,
            answered: answered.contains(&number),
            open: port.load(),
            max_running: observed.max_running(),
            threads: threads::of_port(name, number, &*observed, now),
        })
    });
    ports.collect()
}
