//! Pools at work as data: what [`Handle::snapshot`](crate::Handle::snapshot) returns.

use std::sync::Arc;
use std::time::Duration;

use crate::{Edge, Journeys, Spec, State, Stats};

mod filter;
mod sentence;
mod task;
mod thread;

pub use filter::Filter;

pub use task::{Activity, Age, JobPlace, Position, Since, TaskSnapshot, TransitionSnapshot};
pub use thread::{Block, PortSnapshot, RunningHandler, ThreadSnapshot};

/// The pools of a pipeline at work, in its order: what [`Observer::snapshot`](crate::Observer::snapshot)
/// returns.
///
/// It is no instant, as [`PoolSnapshot`] says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The pools.
    pub pools: Vec<PoolSnapshot>,
}

/// A pool at work: its counters, its threads, and its connections or jobs by state.
///
/// It is no instant. Each port visits its connections between turns, some at a time, so that one that moves
/// meanwhile may be counted in its former state or in its new one, and one that comes or ends may be
/// missing. The counters and threads are read after that. So sums over `states` and [`Stats::open`] may differ
/// while the pool works; in a pool at rest all of it fits together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolSnapshot {
    /// The name of the pool.
    pub name: Arc<str>,
    /// The graph of its machine.
    pub spec: &'static Spec,
    /// The phase of the pool.
    pub phase: PoolPhase,
    /// The counters since the start.
    pub stats: Stats,
    /// The journeys that were measured since the start: [`Builder::journeys`](crate::Builder::journeys).
    pub journeys: Journeys,
    /// The room for connections or jobs.
    pub room: Room,
    /// The room for jobs, in a pool whose connections answer jobs.
    pub job_room: Option<Room>,
    /// The ports with their threads. Empty before the pool starts and after it has ended.
    pub ports: Vec<PortSnapshot>,
    /// The calls and hand-offs of its machine, with the pools that they lead to.
    pub routes: Vec<RouteSnapshot>,
    /// The number of connections or jobs in each state, in the order of [`Spec::states`], whatever the filter
    /// is. Those of ports that did not answer are missing.
    pub states: Vec<StateCount>,
    /// How often each edge was taken since the start, in the order of [`Spec::edges`]. Empty without the feature
    /// `transitions`.
    pub edges: Vec<EdgeCount>,
    /// The oldest connections or jobs that the filter lets through, the oldest first, and those of unknown age
    /// last.
    pub tasks: Vec<TaskSnapshot>,
}

/// The phase of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolPhase {
    /// It serves, or has not started yet.
    Serves,
    /// It accepts nothing new, and ends when nothing is left.
    Drains,
    /// It is closed, and ends or has ended.
    Closed,
}

/// The permits of a pool: the room for its connections or jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Room {
    /// The permits that are out.
    pub taken: usize,
    /// The most that may be out at a time.
    pub limit: usize,
    /// Those who wait for one.
    pub waiting: usize,
}

/// A call or hand-off: the state in which it happens, and the pool that it leads to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteSnapshot {
    /// The state.
    pub state: &'static State,
    /// The name of the other pool.
    pub pool: Arc<str>,
}

/// The connections or jobs of a pool that are in one state.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StateCount {
    /// The state.
    pub state: &'static State,
    /// The number of those that are in it.
    pub count: usize,
    /// The largest [`Age::time`] of them; `None` if no age is known.
    pub oldest: Option<Duration>,
}

/// How often the connections or jobs of a pool have taken an edge.
///
/// Threads count for themselves, so that the counts of several edges are those of no instant.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EdgeCount {
    /// The state that the edge leaves.
    pub state: &'static State,
    /// The edge.
    pub edge: &'static Edge,
    /// The number of transitions since the pool started.
    pub count: u64,
}

impl Snapshot {
    /// The pool with this name.
    pub fn pool(&self, name: &str) -> Option<&PoolSnapshot> {
        self.pools.iter().find(|pool| &*pool.name == name)
    }
}

impl PoolSnapshot {
    /// The number of connections or jobs in the state with this name.
    pub fn count(&self, state: &str) -> usize {
        let found = self.states.iter().find(|counted| counted.state.name == state);
        found.map_or(0, |counted| counted.count)
    }

    /// The number of transitions since the start from one state to another, or to itself, for whatever reason. 0
    /// without the feature `transitions`.
    pub fn transitions(&self, from: &str, to: &str) -> u64 {
        let leads = |edge: &&EdgeCount| {
            edge.state.name == from && self.spec.states[edge.edge.target].name == to
        };
        self.edges.iter().filter(leads).map(|edge| edge.count).sum()
    }

    /// The ports that did not answer in time, because their only thread has been in handlers since.
    pub fn unanswered(&self) -> impl Iterator<Item = &PortSnapshot> {
        self.ports.iter().filter(|port| !port.answered)
    }
}
