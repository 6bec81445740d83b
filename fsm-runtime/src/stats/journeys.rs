use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of buckets but the last one, which has no bound.
const BOUNDS: usize = 14;

/// The upper bounds of the buckets, in microseconds.
const MICROS: [u64; BOUNDS] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// The journeys of a pool that were measured, by how long they lasted:
/// [`Builder::journeys`](crate::Builder::journeys).
///
/// ```
/// use fsm_runtime::Journeys;
///
/// let none = Journeys::default();
/// assert_eq!((none.count(), none.total().as_secs()), (0, 0));
/// assert_eq!(none.buckets().next().map(|(bound, _)| bound.as_micros()), Some(500));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Journeys {
    counts: [u64; BOUNDS + 1],
    micros: u64,
}

impl Journeys {
    /// The number of journeys.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of their durations, in microseconds.
    pub fn total(&self) -> Duration {
        Duration::from_micros(self.micros)
    }

    /// The number of journeys that lasted no longer than each bound, from half a millisecond to ten seconds.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let mut sum = 0;
        MICROS.iter().zip(&self.counts).map(move |(bound, count)| {
            sum += count;
            (Duration::from_micros(*bound), sum)
        })
    }
}

/// Counts [`Journeys`].
#[derive(Debug, Default)]
pub(crate) struct JourneyCounts {
    counts: [AtomicU64; BOUNDS + 1],
    micros: AtomicU64,
}

impl JourneyCounts {
    pub(crate) fn add(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = MICROS.partition_point(|bound| *bound < micros);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Journeys {
        let counts = self.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Journeys { counts, micros: self.micros.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v12_a_bucket_has_all_up_to_its_bound_and_the_last_one_all() {
        let counts = JourneyCounts::default();
        for micros in [0, 500, 501, 10_000_000, 10_000_001] {
            counts.add(Duration::from_micros(micros));
        }
        let journeys = counts.snapshot();
        let buckets: Vec<_> = journeys.buckets().map(|(_, count)| count).collect();
        assert_eq!(
            (buckets[0], buckets[1], buckets[BOUNDS - 2], buckets[BOUNDS - 1]),
            (2, 3, 3, 4)
        );
        assert_eq!((journeys.count(), journeys.total()), (5, Duration::from_micros(20_001_002)));
    }
}
