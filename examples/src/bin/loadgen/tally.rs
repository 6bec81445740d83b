//! The counts of the connections.

use std::time::{Duration, Instant};

use fsm_runtime::Stats;
use hdrhistogram::Histogram;

/// The longest time that is told from longer ones, in microseconds: two hours.
const LONGEST: u64 = 2 * 60 * 60 * 1_000_000;

/// The counts of all connections together.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    /// All answers of the run.
    pub(crate) answers: u64,
    /// Answers to GET without a value.
    pub(crate) misses: u64,
    /// The latencies of the requests in the measured time, in microseconds.
    pub(crate) latencies: Histogram<u64>,
    /// How much later than due these were sent.
    pub(crate) delays: Histogram<u64>,
    pub(crate) errors: Errors,
    /// The time at which a connection first saw that the pool drains.
    pub(crate) stopped: Option<Instant>,
}

impl Default for Tally {
    fn default() -> Self {
        let times =
            || Histogram::new_with_bounds(1, LONGEST, 3).expect("three digits are possible");
        Self {
            answers: 0,
            misses: 0,
            latencies: times(),
            delays: times(),
            errors: Errors::default(),
            stopped: None,
        }
    }
}

impl Tally {
    /// Adds an answer of the measured time.
    pub(crate) fn add(&mut self, latency: Duration, delay: Duration) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(micros(latency));
        self.delays.saturating_record(micros(delay));
    }
}

/// Errors by their kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Errors {
    /// Attempts to connect that failed.
    pub(crate) connect: u64,
    /// Connections on which TLS failed.
    pub(crate) tls: u64,
    /// Connections that the server reset, or that broke.
    pub(crate) reset: u64,
    /// Connections that the server ended while an answer was due.
    pub(crate) closed: u64,
    /// Connections on which an answer took too long.
    pub(crate) timeout: u64,
    /// Answers that are errors: `-ERR ..`, and the status 400 or a higher one.
    pub(crate) refused: u64,
    /// Answers that do not fit their request, or are none.
    pub(crate) unexpected: u64,
    /// Requests that were sent and whose connection ended before the answer.
    pub(crate) unanswered: u64,
    /// Requests that were due and were not sent.
    pub(crate) unsent: u64,
}

impl Errors {
    /// Adds those that the pool has counted.
    pub(crate) fn with(mut self, stats: &Stats) -> Self {
        self.connect += stats.connect_failures;
        self.tls += stats.tls_failures;
        self.reset += stats.reset;
        self.timeout += stats.send_timeouts;
        self
    }

    /// The kinds with their numbers.
    pub(crate) fn kinds(&self) -> [(&'static str, u64); 9] {
        [
            ("connect", self.connect),
            ("tls", self.tls),
            ("reset", self.reset),
            ("closed", self.closed),
            ("timeout", self.timeout),
            ("refused", self.refused),
            ("unexpected", self.unexpected),
            ("unanswered", self.unanswered),
            ("unsent", self.unsent),
        ]
    }

    pub(crate) fn total(&self) -> u64 {
        self.kinds().iter().map(|(_, count)| count).sum()
    }
}
