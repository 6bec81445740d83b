use std::fmt;

mod counters;
#[cfg(feature = "transitions")]
mod edges;
mod journeys;

pub(crate) use counters::{Counters, LocalCounters};
#[cfg(feature = "transitions")]
pub(crate) use edges::{EdgeCounters, LocalEdges};
pub(crate) use journeys::JourneyCounts;
pub use journeys::Journeys;

/// The reason for which a connection or job has ended.
///
/// ```
/// assert_eq!(fsm_runtime::Ended::Reset.to_string(), "reset");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// The machine reached an end state.
    Done,
    /// A job of a pool of [`Python`](crate::Python) failed: the function raised, the process ended, or
    /// there was no process to do it.
    Failed,
    /// The peer reset the connection, the connection broke, or the system did not register it.
    Reset,
    /// A handler panicked. The output that handlers wrote in the same turn is lost.
    Panicked,
    /// The peer's stream ended in the middle of something, without the end that TLS or a layer has for it: it
    /// may have been cut off by somebody else. In a state at rest with nothing unread that is a usual end.
    Truncated,
    /// The TLS handshake failed, or what came later was not the peer's. The log has the error at `DEBUG`.
    TlsFailed,
    /// The [layer](crate::Layer) of the application failed. The log has the error at `DEBUG`.
    LayerFailed,
    /// The peer took none of its output for the pool's send timeout. The connection was reset.
    SendTimeout,
    /// The machine called its handlers 1,000 times or more without a byte in or out and without a
    /// message, because of a bug in them.
    BusyLoop,
    /// The pool drained, and nothing was in progress.
    Drained,
    /// A new client took its place while nothing was in progress:
    /// [`Builder::shed_at_rest`](crate::Builder::shed_at_rest).
    Shed,
    /// The pool closed while something was in progress.
    Closed,
    /// The connection moved to another pool.
    HandedOff,
    /// The connection moved to another process, which goes on with it.
    Moved,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Reset => "reset",
            Self::Panicked => "panicked",
            Self::Truncated => "truncated",
            Self::TlsFailed => "TLS failed",
            Self::LayerFailed => "layer failed",
            Self::SendTimeout => "send timeout",
            Self::BusyLoop => "busy loop",
            Self::Drained => "drained",
            Self::Shed => "shed",
            Self::Closed => "closed",
            Self::HandedOff => "handed off",
            Self::Moved => "moved",
        })
    }
}

/// The counters of a pool since it started: of its connections, or of its jobs.
///
/// Two equations hold in every snapshot:
///
/// - `accepted` is `open` plus [`ended()`](Stats::ended), the sum over all reasons to end. `open` is
///   computed as the difference, because threads count while others read.
/// - `offered` is `taken` + `refused` + `abandoned` + `waiting`.
///
/// ```
/// use fsm_runtime::Stats;
///
/// /// A line for a page of metrics.
/// fn metrics(stats: &Stats) -> String {
///     format!("open {}, ended {}, panicked {}", stats.open, stats.ended(), stats.panicked)
/// }
///
/// assert_eq!(metrics(&Stats::default()), "open 0, ended 0, panicked 0");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections or jobs that the pool accepted from its listeners, other pools and plain threads, and
    /// connections that it opened itself.
    pub accepted: u64,
    /// Connections or jobs that are open now.
    pub open: u64,
    /// Connections or jobs whose machine reached an end state.
    pub done: u64,
    /// Jobs of a pool of [`Python`](crate::Python) that failed: see [`Ended::Failed`].
    pub failed: u64,
    /// Connections that the peer reset, that broke, or that the system did not register.
    pub reset: u64,
    /// Connections whose stream was cut off: see [`Ended::Truncated`].
    pub truncated: u64,
    /// Connections whose TLS failed.
    pub tls_failures: u64,
    /// Connections whose [layer](crate::Layer) failed.
    pub layer_failures: u64,
    /// Connections or jobs whose handler panicked.
    pub panicked: u64,
    /// Connections whose peer did not take its output in time.
    pub send_timeouts: u64,
    /// Connections or jobs whose handlers were called over and over without a byte in or out and without
    /// a message.
    pub busy_loops: u64,
    /// Connections that a drain closed while nothing was in progress.
    pub drained: u64,
    /// Connections whose place a new client took while nothing was in progress
    /// ([`Builder::shed_at_rest`](crate::Builder::shed_at_rest)).
    pub shed: u64,
    /// Connections or jobs that the pool closed while something was in progress.
    pub closed: u64,
    /// Connections that moved to another pool.
    pub handed_off: u64,
    /// Connections that moved to another process, which goes on with them.
    pub moved: u64,
    /// Events for connections that were gone.
    pub stale: u64,
    /// The number of times that a listener found no free descriptor.
    pub accept_failures: u64,
    /// Connections that got no place at the limit and were told so
    /// ([`Builder::turn_away`](crate::Builder::turn_away)). They are not among those that were accepted.
    pub turned_away: u64,
    /// The number of times that a target could not be connected to.
    pub connect_failures: u64,
    /// Datagrams that no machine has got: at the limit of connections or of what waits, empty ones, and those
    /// larger than the `max` of every state.
    pub datagrams_dropped: u64,
    /// Datagrams that were not sent: larger than the output mark, or the system did not take them.
    pub datagrams_unsent: u64,
    /// Jobs and connections that other pools and plain threads offered to this one. In a pool whose
    /// connections answer jobs this and the four below are about the jobs, and all others about the
    /// connections.
    pub offered: u64,
    /// Offers that got room, at once or after a wait.
    pub taken: u64,
    /// Offers that found no room and did not wait, and those that waited or came when the pool was
    /// closed.
    pub refused: u64,
    /// Offers that waited for room when their deadline passed or their connection ended.
    pub abandoned: u64,
    /// Offers that wait for room now.
    pub waiting: u64,
    /// The largest number that was open at a time; never more than the pool's bound. A sum over
    /// several pools adds their peaks, which need not have been at the same time.
    pub peak: u64,
}

impl Stats {
    /// The number of connections or jobs that have ended, for whatever reason.
    pub fn ended(&self) -> u64 {
        let broken = self.reset + self.truncated + self.tls_failures + self.layer_failures;
        let ended_by_pool = self.panicked + self.send_timeouts + self.busy_loops;
        self.done
            + self.failed
            + broken
            + ended_by_pool
            + self.drained
            + self.shed
            + self.closed
            + self.handed_off
            + self.moved
    }
}

/// The counters of several pools together.
impl std::iter::Sum for Stats {
    fn sum<I: Iterator<Item = Self>>(stats: I) -> Self {
        stats.fold(Self::default(), |sum, one| Self {
            accepted: sum.accepted + one.accepted,
            open: sum.open + one.open,
            done: sum.done + one.done,
            failed: sum.failed + one.failed,
            reset: sum.reset + one.reset,
            truncated: sum.truncated + one.truncated,
            tls_failures: sum.tls_failures + one.tls_failures,
            layer_failures: sum.layer_failures + one.layer_failures,
            panicked: sum.panicked + one.panicked,
            send_timeouts: sum.send_timeouts + one.send_timeouts,
            busy_loops: sum.busy_loops + one.busy_loops,
            drained: sum.drained + one.drained,
            shed: sum.shed + one.shed,
            closed: sum.closed + one.closed,
            handed_off: sum.handed_off + one.handed_off,
            moved: sum.moved + one.moved,
            stale: sum.stale + one.stale,
            accept_failures: sum.accept_failures + one.accept_failures,
            turned_away: sum.turned_away + one.turned_away,
            connect_failures: sum.connect_failures + one.connect_failures,
            datagrams_dropped: sum.datagrams_dropped + one.datagrams_dropped,
            datagrams_unsent: sum.datagrams_unsent + one.datagrams_unsent,
            offered: sum.offered + one.offered,
            taken: sum.taken + one.taken,
            refused: sum.refused + one.refused,
            abandoned: sum.abandoned + one.abandoned,
            waiting: sum.waiting + one.waiting,
            peak: sum.peak + one.peak,
        })
    }
}

/// The accounting of a pool's permits: the offers from outside, by their outcome.
///
/// `offered` is the sum of the others but `peak`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounting {
    pub(crate) offered: u64,
    pub(crate) taken: u64,
    pub(crate) refused: u64,
    pub(crate) abandoned: u64,
    pub(crate) waiting: u64,
    /// The largest number of permits that were out at a time.
    pub(crate) peak: u64,
}
