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
    SendTimeout,
    /// The machine's handlers were called over and over without a byte in or out: a bug in them.
    BusyLoop,
    /// The pool drains, and nothing was in progress.
    Drained,
    /// The pool closed while something was in progress.
    Closed,
    /// It went on in another pool.
    HandedOff,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Reset => "reset",
            Self::Panicked => "panicked",
            Self::SendTimeout => "send timeout",
            Self::BusyLoop => "busy loop",
            Self::Drained => "drained",
            Self::Closed => "closed",
            Self::HandedOff => "handed off",
        })
    }
}

/// What a pool has counted since it started: of its connections, or of its jobs.
///
/// `accepted` is the sum of `open` and of all the numbers of those that ended. `offered` is the sum of
/// `taken`, `refused`, `abandoned` and `waiting`.
///
/// ```
/// let stats = fsm_runtime::Stats::default();
/// assert_eq!(stats.accepted, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections and jobs taken up: from the listeners and from other pools.
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
    pub send_timeouts: u64,
    /// Connections whose handlers went round without a byte in or out.
    pub busy_loops: u64,
    /// Connections that a drain closed at rest.
    pub drained: u64,
    /// Connections that were closed in the middle of something.
    pub closed: u64,
    /// Connections that went on in another pool.
    pub handed_off: u64,
    /// Events for connections that were gone.
    pub stale: u64,
    /// How often the listeners had to wait for a free descriptor.
    pub accept_failures: u64,
    /// Jobs and connections that other pools and threads had for this one.
    pub offered: u64,
    /// Those of them for which there was room, at once or after a while.
    pub taken: u64,
    /// Those for which there was none, and which did not wait for it, or in vain: the pool closed.
    pub refused: u64,
    /// Those that were waiting for room when their deadline passed, or their connection ended.
    pub abandoned: u64,
    /// Those that wait for room now.
    pub waiting: u64,
    /// The peak connections or jobs that there were at a time; never more than the pool's bound.
    pub peak: u64,
}

impl Stats {
    /// The connections that have ended, for whatever reason.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Stats::default().ended(), 0);
    /// ```
    pub fn ended(&self) -> u64 {
        let broken = self.reset + self.panicked + self.send_timeouts + self.busy_loops;
        self.done + broken + self.drained + self.closed + self.handed_off
    }
}

/// Of several pools together.
impl std::iter::Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(stats: I) -> Self {
        stats.fold(Self::default(), |sum, one| Self {
            accepted: sum.accepted + one.accepted,
            open: sum.open + one.open,
            done: sum.done + one.done,
            reset: sum.reset + one.reset,
            panicked: sum.panicked + one.panicked,
            send_timeouts: sum.send_timeouts + one.send_timeouts,
            busy_loops: sum.busy_loops + one.busy_loops,
            drained: sum.drained + one.drained,
            closed: sum.closed + one.closed,
            handed_off: sum.handed_off + one.handed_off,
            stale: sum.stale + one.stale,
            accept_failures: sum.accept_failures + one.accept_failures,
            offered: sum.offered + one.offered,
            taken: sum.taken + one.taken,
            refused: sum.refused + one.refused,
            abandoned: sum.abandoned + one.abandoned,
            waiting: sum.waiting + one.waiting,
            peak: sum.peak + one.peak,
        })
    }
}

/// What was offered to a pool from outside, and what became of it.
///
/// `offered` is the sum of the others but `peak`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounting {
    pub(crate) offered: u64,
    pub(crate) taken: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) waiting: u64,
    /// The peak credits that were out at a time, when one was offered or kept.
    pub(crate) peak: u64,
}

/// The counters behind [`Stats`]: written by the port, read by anyone.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    accepted: AtomicU64,
    done: AtomicU64,
    reset: AtomicU64,
    panicked: AtomicU64,
    send_timeouts: AtomicU64,
    busy_loops: AtomicU64,
    drained: AtomicU64,
    closed: AtomicU64,
    handed_off: AtomicU64,
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
            Ended::SendTimeout => &self.send_timeouts,
            Ended::BusyLoop => &self.busy_loops,
            Ended::Drained => &self.drained,
            Ended::Closed => &self.closed,
            Ended::HandedOff => &self.handed_off,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn accept_failed(&self) {
        self.accept_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self, accounting: Accounting) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut stats = Stats {
            accepted: 0,
            open: 0,
            done: read(&self.done),
            reset: read(&self.reset),
            panicked: read(&self.panicked),
            send_timeouts: read(&self.send_timeouts),
            busy_loops: read(&self.busy_loops),
            drained: read(&self.drained),
            closed: read(&self.closed),
            handed_off: read(&self.handed_off),
            stale: read(&self.stale),
            accept_failures: read(&self.accept_failures),
            offered: accounting.offered,
            taken: accounting.taken,
            refused: accounting.refused,
            abandoned: accounting.abandoned,
            waiting: accounting.waiting,
            peak: accounting.peak,
        };
        // Read last: it is never less than the number of those that ended.
        stats.accepted = read(&self.accepted);
        stats.open = stats.accepted.saturating_sub(stats.ended());
        stats
    }
}
