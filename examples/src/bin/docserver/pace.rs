//! The least rate of an upload.

use std::time::{Duration, Instant};

use crate::settings::Settings;

/// The most bytes that one budget covers. A client that announces gigabytes has no more time for these than
/// any other.
const PART: u64 = 16 * 1024;

/// The budget of an upload, one part of the document after another.
///
/// The client has the time that the part takes at the least rate, and the time that it may stall. The time
/// that it has not used adds to that of the next part, up to the time that it may stall. So it may pause now
/// and then, and nothing saves up time for a long one.
#[derive(Debug)]
pub(crate) struct Pace {
    received: u64,
    /// The end of the part, in bytes of the document.
    end: u64,
    /// The moment at which the part must be there.
    due: Instant,
    budget: Duration,
}

impl Pace {
    /// Starts with a part that has at most `left` bytes.
    pub(crate) fn start(now: Instant, left: u64, settings: &Settings) -> Self {
        let part = left.min(PART);
        let budget = settings.stall + at_least_rate(part, settings);
        Self { received: 0, end: part, due: now + budget, budget }
    }

    /// Counts bytes of the document.
    pub(crate) fn receive(&mut self, bytes: usize) {
        self.received = self.received.saturating_add(bytes as u64);
    }

    /// Whether the part is there.
    pub(crate) fn is_complete(&self) -> bool {
        self.received >= self.end
    }

    /// Goes on to a part of at most `left` bytes.
    pub(crate) fn renew(&mut self, now: Instant, left: u64, settings: &Settings) {
        let ahead = at_least_rate(self.received.saturating_sub(self.end), settings);
        let unused = self.due.saturating_duration_since(now).saturating_add(ahead);
        let part = left.min(PART);
        self.budget = unused.min(settings.stall) + at_least_rate(part, settings);
        self.end = self.received.saturating_add(part);
        self.due = now + self.budget;
    }

    /// The time of the part, from its start.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }
}

/// The time that some bytes take at the least rate.
fn at_least_rate(bytes: u64, settings: &Settings) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1_000) / settings.body_rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The longest time for which a client can send pieces of `bytes` in this interval.
    fn lasts(pieces: impl IntoIterator<Item = (Duration, usize)>) -> Duration {
        let settings = Settings::default();
        let start = Instant::now();
        let (mut pace, mut now) = (Pace::start(start, u64::MAX, &settings), start);
        for (pause, bytes) in pieces {
            now += pause;
            if now >= pace.due {
                return pace.due - start;
            }
            pace.receive(bytes);
            if pace.is_complete() {
                pace.renew(now, u64::MAX, &settings);
            }
        }
        Duration::MAX
    }

    #[test]
    fn the_least_rate_lasts_in_pieces_of_any_size() {
        for (pause, bytes) in [(1, 500), (5, 2_500), (25, 12_500), (29, 14_500)] {
            let steady = (0..10_000).map(|_| (pause * SECOND, bytes));
            assert_eq!(lasts(steady), Duration::MAX, "{bytes} bytes each {pause} s");
        }
    }

    #[test]
    fn a_slower_client_is_late_for_some_part() {
        for (bytes, at_most) in [(1, 63), (250, 63), (400, 200), (490, 2_000)] {
            let slow = (0..100_000).map(|_| (SECOND, bytes));
            let end = lasts(slow);
            assert!(end <= at_most * SECOND, "{bytes} bytes each second last {end:?}");
        }
    }

    #[test]
    fn a_fast_beginning_saves_up_no_more_than_the_stall() {
        let fast = [(SECOND, 1 << 30)];
        let slow = (0..1_000).map(|_| (SECOND, 1));
        let end = lasts(fast.into_iter().chain(slow));
        assert!(end <= 64 * SECOND, "{end:?}");
    }

    #[test]
    fn a_short_document_has_the_time_of_its_length() {
        let pace = Pace::start(Instant::now(), 1_000, &Settings::default());
        assert_eq!(pace.budget(), 32 * SECOND);
    }
}
