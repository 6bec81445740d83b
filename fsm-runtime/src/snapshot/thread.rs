use std::time::Duration;

use crate::{Key, State};

/// A port of a pool, with its threads.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PortSnapshot {
    /// The number of the port in its pool.
    pub number: usize,
    /// Whether it has told of its connections or jobs in time. A port with one thread cannot while that thread
    /// is in a handler.
    pub answered: bool,
    /// The number of its connections or jobs, also of a port that did not answer. Jobs that have had no turn
    /// yet are missing in a port with one thread.
    pub open: usize,
    /// The most of its threads that run handlers at a time.
    pub max_running: usize,
    /// Its threads.
    pub threads: Vec<ThreadSnapshot>,
}

/// A thread of a pool.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ThreadSnapshot {
    /// The name of the pool and the number of the thread in it, such as `count/2`.
    pub name: String,
    /// The handler that it runs; `None` if it is idle or polls.
    pub running: Option<RunningHandler>,
}

/// A handler that a thread runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RunningHandler {
    /// The connection or job.
    pub key: Key,
    /// The state whose handler runs, or the one at the beginning of the turn.
    pub state: &'static State,
    /// The time for which the turn has run at least: since the watchdog, which looks four times a second, or a
    /// snapshot has seen it first.
    pub at_least: Duration,
    /// Whether the handler blocks, as far as that is known.
    pub block: Option<Block>,
}

/// The source of the knowledge that a handler blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Block {
    /// The handler has declared it, with `#[run(blocking)]` or [`Cx::blocking`](crate::Cx::blocking).
    Declared,
    /// The system says that its thread sleeps. Only Linux says so.
    Seen,
}
