use std::sync::OnceLock;
use std::time::Instant;

/// When the first pool of the process started: what all its pools count the time from, so that one can
/// tell another one what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start(Instant);

impl Start {
    pub(crate) fn of_process() -> Self {
        static START: OnceLock<Instant> = OnceLock::new();
        Self(*START.get_or_init(Instant::now))
    }

    /// Milliseconds since then.
    pub(crate) fn now(self) -> u64 {
        self.at(Instant::now())
    }

    fn at(self, now: Instant) -> u64 {
        let passed = now.saturating_duration_since(self.0).as_millis();
        u64::try_from(passed).unwrap_or(u64::MAX)
    }
}

/// The time of a thread: milliseconds since that start.
///
/// It is read after every poll. While handlers run, a coarse clock, which costs next to nothing,
/// says when it must be read again, so that a slow handler does not make the deadlines of the next
/// ones early.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Start,
    #[cfg(target_os = "linux")]
    coarse: Option<nix::sys::time::TimeSpec>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            start: Start::of_process(),
            #[cfg(target_os = "linux")]
            coarse: coarse(),
        }
    }

    /// The time now.
    pub(crate) fn read(&mut self) -> (u64, Instant) {
        let now = Instant::now();
        (self.start.at(now), now)
    }

    /// The time now, if it may have moved by some milliseconds since the last call.
    #[inline]
    #[cfg(target_os = "linux")]
    pub(crate) fn moved(&mut self) -> Option<(u64, Instant)> {
        let coarse = coarse();
        if coarse == self.coarse {
            return None;
        }
        self.coarse = coarse;
        Some(self.read())
    }

    /// The time now.
    #[inline]
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn moved(&mut self) -> Option<(u64, Instant)> {
        Some(self.read())
    }
}

#[inline]
#[cfg(target_os = "linux")]
fn coarse() -> Option<nix::sys::time::TimeSpec> {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC_COARSE).ok()
}
