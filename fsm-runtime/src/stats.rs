use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection is no more.
///
/// ```
/// assert_eq!(fsm_runtime::Ended::Reset.to_string(), "reset");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// The machine came to an end.
    Done,
    /// The peer reset the connection, or it broke, or the system did not take it up.
    Reset,
    /// A handler panicked. What was written in the same turn is lost with it.
    Panicked,
    /// The peer did not take its output for the pool's send timeout; it sees a reset.
    Stalled,
    /// The machine's handlers were called over and over without a byte in or out: a bug in them.
    Spun,
    /// The pool drains, and nothing was in progress.
    Drained,
    /// The pool closed while something was in progress.
    Closed,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Reset => "reset",
            Self::Panicked => "panicked",
            Self::Stalled => "stalled",
            Self::Spun => "spun",
            Self::Drained => "drained",
            Self::Closed => "closed",
        })
    }
}

/// What a pool has counted since it started.
///
/// `accepted` is the sum of `open` and of all the numbers of connections that ended.
///
/// ```
/// let stats = fsm_runtime::Stats::default();
/// assert_eq!(stats.accepted, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections taken from the listeners.
    pub accepted: u64,
    /// Connections there are now.
    pub open: u64,
    /// Connections whose machine came to an end.
    pub done: u64,
    /// Connections that the peer reset.
    pub reset: u64,
    /// Connections whose handler panicked.
    pub panicked: u64,
    /// Connections whose peer did not take its output in time.
    pub stalled: u64,
    /// Connections whose handlers went round without a byte in or out.
    pub spun: u64,
    /// Connections that a drain closed at rest.
    pub drained: u64,
    /// Connections that were closed in the middle of something.
    pub closed: u64,
    /// Events for connections that were gone.
    pub stale: u64,
    /// How often the listeners had to wait for a free descriptor.
    pub accept_failures: u64,
}

impl Stats {
    /// The connections that have ended, for whatever reason.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Stats::default().ended(), 0);
    /// ```
    pub fn ended(&self) -> u64 {
        let broken = self.reset + self.panicked + self.stalled + self.spun;
        self.done + broken + self.drained + self.closed
    }
}

/// The counters behind [`Stats`]: written by the port, read by anyone.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    done: AtomicU64,
    reset: AtomicU64,
    panicked: AtomicU64,
    stalled: AtomicU64,
    spun: AtomicU64,
    drained: AtomicU64,
    closed: AtomicU64,
    stale: AtomicU64,
    accept_failures: AtomicU64,
}

impl Counters {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, why: Ended) {
        let counter = match why {
            Ended::Done => &self.done,
            Ended::Reset => &self.reset,
            Ended::Panicked => &self.panicked,
            Ended::Stalled => &self.stalled,
            Ended::Spun => &self.spun,
            Ended::Drained => &self.drained,
            Ended::Closed => &self.closed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut stats = Stats {
            accepted: 0,
            open: 0,
            done: read(&self.done),
            reset: read(&self.reset),
            panicked: read(&self.panicked),
            stalled: read(&self.stalled),
            spun: read(&self.spun),
            drained: read(&self.drained),
            closed: read(&self.closed),
            stale: read(&self.stale),
            accept_failures: read(&self.accept_failures),
        };
        // Read last: it is never less than the number of those that ended.
        stats.accepted = read(&self.accepted);
        stats.open = stats.accepted.saturating_sub(stats.ended());
        stats
    }
}
