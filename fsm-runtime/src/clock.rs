use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
use std::time::Instant;
use std::time::{Duration, SystemTime};

/// A moment of the system's monotonic clock.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) type Moment = Instant;

/// A moment, where the system has no clock: the time since a start.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
pub(crate) type Moment = Duration;

/// The moment that times are counted from, which are told from outside.
pub(crate) fn start_of_told_time() -> Moment {
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    return Instant::now();
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    Duration::ZERO
}

/// The time since a moment; zero where the system has no clock.
pub(crate) fn time_since(moment: Moment) -> Duration {
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    return moment.elapsed();
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    {
        let _ = moment;
        Duration::ZERO
    }
}

/// A moment, in both forms that a pool needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    /// Milliseconds since the start of the time source. Pools that exchange times count from the same
    /// start.
    pub(crate) millis: u64,
    /// The same moment on the system's clock, for handlers.
    pub(crate) instant: Moment,
}

/// Converts a time to whole milliseconds: rounded up, and at least 1.
#[inline]
pub(crate) const fn whole_millis(time: Duration) -> u64 {
    match time.as_nanos().div_ceil(1_000_000) {
        0 => 1,
        millis if millis > u64::MAX as u128 => u64::MAX,
        #[expect(clippy::cast_possible_truncation, reason = "larger values are capped")]
        millis => millis as u64,
    }
}

/// A clock that pools and their threads are made with: the system's, or that of a test.
pub(crate) trait TimeSource {
    /// Reads the time.
    fn now(&self) -> Time;

    /// Reads the time if it may have moved by some milliseconds since the last call; `None` if not.
    ///
    /// A thread calls this before each turn. Otherwise, after a slow handler, the turns behind it would
    /// count their deadlines from a time that is too early.
    fn now_if_changed(&mut self) -> Option<Time>;
}

/// The system's monotonic clock, counted from when this was made. Each thread has a clone, which
/// counts from the same start.
///
/// On Linux the exact clock is read again only after a coarse one, which is much cheaper, has moved.
#[cfg(feature = "pool")]
#[derive(Clone, Debug)]
pub(crate) struct MonotonicTime {
    start: Instant,
    #[cfg(target_os = "linux")]
    coarse: Option<nix::sys::time::TimeSpec>,
}

#[cfg(feature = "pool")]
impl MonotonicTime {
    pub(crate) fn starting_now() -> Self {
        Self {
            start: Instant::now(),
            #[cfg(target_os = "linux")]
            coarse: None,
        }
    }
}

#[cfg(feature = "pool")]
impl TimeSource for MonotonicTime {
    #[inline]
    fn now(&self) -> Time {
        let instant = Instant::now();
        let millis = instant.saturating_duration_since(self.start).as_millis();
        Time { millis: u64::try_from(millis).unwrap_or(u64::MAX), instant }
    }

    #[inline]
    #[cfg(target_os = "linux")]
    fn now_if_changed(&mut self) -> Option<Time> {
        let coarse = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC_COARSE).ok();
        if coarse == self.coarse {
            return None;
        }
        self.coarse = coarse;
        Some(self.now())
    }

    #[inline]
    #[cfg(not(target_os = "linux"))]
    fn now_if_changed(&mut self) -> Option<Time> {
        Some(self.now())
    }
}

/// A time that stands still until a test sets it. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct ManualTime {
    start: Moment,
    millis: Arc<AtomicU64>,
    /// A wall-clock time, and the milliseconds at which it was set.
    wall: Arc<Mutex<(SystemTime, u64)>>,
    /// The time that the last call of `now_if_changed` found.
    seen: Option<u64>,
}

impl ManualTime {
    /// A time that stands at 0, and on the wall at the beginning of the year 2000 in UTC.
    pub(crate) fn new() -> Self {
        let year_2000 = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
        let wall = Arc::new(Mutex::new((year_2000, 0)));
        Self { start: start_of_told_time(), millis: Arc::default(), wall, seen: None }
    }

    pub(crate) fn set_wall(&self, time: SystemTime) {
        *self.wall.lock().unwrap_or_else(PoisonError::into_inner) = (time, self.millis());
    }

    fn wall(&self) -> SystemTime {
        let (time, at) = *self.wall.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = Duration::from_millis(self.millis().saturating_sub(at));
        time.checked_add(passed).unwrap_or(time)
    }

    pub(crate) fn set(&self, millis: u64) {
        self.millis.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn millis(&self) -> u64 {
        self.millis.load(Ordering::Relaxed)
    }
}

impl TimeSource for ManualTime {
    fn now(&self) -> Time {
        let millis = self.millis();
        let passed = self.start.checked_add(Duration::from_millis(millis));
        Time { millis, instant: passed.unwrap_or(self.start) }
    }

    fn now_if_changed(&mut self) -> Option<Time> {
        let millis = self.millis();
        (self.seen.replace(millis) != Some(millis)).then(|| self.now())
    }
}

/// The wall-clock time of a thread's turns: the system's, or that of a test.
#[derive(Debug, Default)]
pub(crate) struct WallTime {
    manual: Option<ManualTime>,
    /// The last time that was read, and the moment of the turn that asked for it.
    read: Cell<Option<(Moment, SystemTime)>>,
}

impl WallTime {
    /// The wall-clock time that a test sets.
    pub(crate) fn manual(time: ManualTime) -> Self {
        Self { manual: Some(time), read: Cell::new(None) }
    }

    /// The wall-clock time of a turn at `instant`, which the system is asked for once.
    pub(crate) fn at(&self, instant: Moment) -> SystemTime {
        if let Some(manual) = &self.manual {
            return manual.wall();
        }
        match self.read.get() {
            Some((asked, wall)) if asked == instant => wall,
            _ => {
                let wall = SystemTime::now();
                self.read.set(Some((instant, wall)));
                wall
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_whole_milliseconds_and_never_to_none() {
        for (time, millis) in [
            (Duration::ZERO, 1),
            (Duration::from_nanos(1), 1),
            (Duration::from_micros(1_200), 2),
            (Duration::from_secs(30), 30_000),
            (Duration::MAX, u64::MAX),
        ] {
            assert_eq!(whole_millis(time), millis, "{time:?}");
        }
    }

    #[cfg(feature = "pool")]
    #[test]
    fn clones_count_from_the_same_start() {
        let time = MonotonicTime::starting_now();
        let mut clone = time.clone();
        let before = time.now();
        let after = clone.now_if_changed().unwrap_or(before);
        assert!(before.millis <= after.millis && before.instant <= after.instant);
    }

    #[test]
    fn a_manual_time_moves_for_all_who_have_it() {
        let time = ManualTime::new();
        let before = time.now();
        time.clone().set(1_500);
        let after = time.now();
        assert_eq!((before.millis, after.millis), (0, 1_500));
        assert_eq!(after.instant - before.instant, Duration::from_millis(1_500));
    }

    #[test]
    fn the_wall_clock_is_read_once_for_a_moment() {
        let wall = WallTime::default();
        let before = SystemTime::now();
        let moment = Instant::now();
        let first = wall.at(moment);
        assert!(first >= before);
        while SystemTime::now() <= first {
            std::hint::spin_loop();
        }
        assert_eq!(wall.at(moment), first);
        assert!(wall.at(moment + Duration::from_millis(1)) > first);
    }

    #[test]
    fn a_manual_wall_clock_moves_with_the_time_and_where_it_is_set() {
        let time = ManualTime::new();
        let wall = WallTime::manual(time.clone());
        let start = wall.at(time.now().instant);
        time.set(1_500);
        assert_eq!(wall.at(time.now().instant), start + Duration::from_millis(1_500));
        time.set_wall(SystemTime::UNIX_EPOCH);
        assert_eq!(wall.at(time.now().instant), SystemTime::UNIX_EPOCH);
        time.set(2_000);
        let half_a_second = Duration::from_millis(500);
        assert_eq!(wall.at(time.now().instant), SystemTime::UNIX_EPOCH + half_a_second);
    }
}
