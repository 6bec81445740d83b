use std::time::Duration;

/// How long a state may last, in milliseconds; [`Timing::NEVER`] where nothing bounds it.
///
/// ```
/// use fsm_runtime::Timing;
///
/// let timing = Timing { within: 30_000, idle: Timing::NEVER };
/// assert!(timing.within < timing.idle);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From entering the state.
    pub within: u64,
    /// From the last time that its wait completed.
    pub idle: u64,
}

impl Timing {
    /// No bound.
    ///
    /// ```
    /// assert_eq!(fsm_runtime::Timing::NEVER, u64::MAX);
    /// ```
    pub const NEVER: u64 = u64::MAX;

    /// A time in whole milliseconds, rounded up: at least one, so that no state is left as soon as
    /// it is entered, and at most `max`.
    ///
    /// ```
    /// use fsm_runtime::Timing;
    /// use std::time::Duration;
    /// assert_eq!(Timing::millis(Duration::from_micros(1_200), 60_000), 2);
    /// assert_eq!(Timing::millis(Duration::ZERO, 60_000), 1);
    /// assert_eq!(Timing::millis(Duration::MAX, 60_000), 60_000);
    /// ```
    pub fn millis(time: Duration, max: u64) -> u64 {
        let millis = time.as_nanos().div_ceil(1_000_000);
        u64::try_from(millis).unwrap_or(u64::MAX).max(1).min(max)
    }
}

/// A time to sleep that a state's expression gives: a `Duration`, or a reference to one.
///
/// ```
/// use fsm_runtime::SleepTime;
/// use std::time::Duration;
///
/// assert_eq!((&Duration::from_secs(2)).duration(), Duration::from_secs(2));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time to sleep",
    label = "a time to sleep is a `Duration`"
)]
pub trait SleepTime: Copy {
    /// The time.
    ///
    /// ```
    /// use fsm_runtime::SleepTime;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Duration::from_secs(2).duration(), Duration::from_secs(2));
    /// ```
    fn duration(self) -> Duration;
}

impl SleepTime for Duration {
    #[inline]
    fn duration(self) -> Duration {
        self
    }
}

impl<T: SleepTime> SleepTime for &T {
    #[inline]
    fn duration(self) -> Duration {
        (*self).duration()
    }
}

/// Which time of a state has passed.
///
/// ```
/// assert_ne!(fsm_runtime::Lapse::Within, fsm_runtime::Lapse::Idle);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lapse {
    /// `within`, or a `sleep`.
    Within,
    /// `idle`.
    Idle,
}

/// What a connection keeps of the deadlines of its state. Generated code says which of the two it is:
/// [`OneTime`], or [`TwoTimes`] where some state has both a `within` and an `idle`.
///
/// ```
/// # use fsm_runtime::prelude::*;
/// use fsm_runtime::{OneTime, Times};
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)] #[to(Talk)] #[rest] Talk,
///     #[end] Gone,
/// }
///
/// fn cost<M: Machine>() -> usize { size_of::<M::Times>() }
/// assert_eq!(cost::<Echo>(), 8);
/// # struct Client;
/// # impl echo::Handler for Client {
/// #     fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> echo::AfterTalk { echo::AfterTalk::Talk }
/// # }
/// # fsm_runtime::sim::Session::<Echo, _>::new(Client);
/// ```
pub trait Times: sealed::Times {}

/// The one deadline of a state, whichever it is.
///
/// ```
/// assert_eq!(size_of::<fsm_runtime::OneTime>(), 8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneTime(u64);

/// A deadline since the state was entered, and one since its wait last completed.
///
/// ```
/// assert_eq!(size_of::<fsm_runtime::TwoTimes>(), 16);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TwoTimes {
    within: u64,
    idle: u64,
}

impl Times for OneTime {}
impl Times for TwoTimes {}

pub(crate) mod sealed {
    use super::{Lapse, Timing};

    pub trait Times: Sized + Send + 'static {
        /// Those of a state that is entered. Times are in milliseconds since the pool's start.
        fn entered(now: u64, timing: Timing) -> Self;
        /// The wait has completed, and the state stays.
        fn stayed(&mut self, now: u64, timing: Timing);
        /// The time has passed, and the state stays.
        fn again(&mut self, lapse: Lapse, now: u64, timing: Timing);
        /// Which of the times has passed, when one has.
        fn lapse(&self, now: u64, timing: Timing) -> Lapse;
        /// When the state must be left.
        fn due(&self) -> u64;
        /// Just this one.
        fn only(at: u64) -> Self;
    }
}

impl sealed::Times for OneTime {
    #[inline]
    fn entered(now: u64, timing: Timing) -> Self {
        Self(now.saturating_add(timing.within.min(timing.idle)))
    }

    #[inline]
    fn stayed(&mut self, now: u64, timing: Timing) {
        if timing.idle != Timing::NEVER {
            self.0 = now.saturating_add(timing.idle);
        }
    }

    fn again(&mut self, _: Lapse, now: u64, timing: Timing) {
        *self = Self::entered(now, timing);
    }

    fn lapse(&self, _: u64, timing: Timing) -> Lapse {
        if timing.within == Timing::NEVER { Lapse::Idle } else { Lapse::Within }
    }

    #[inline]
    fn due(&self) -> u64 {
        self.0
    }

    fn only(at: u64) -> Self {
        Self(at)
    }
}

impl sealed::Times for TwoTimes {
    #[inline]
    fn entered(now: u64, timing: Timing) -> Self {
        let (within, idle) = (now.saturating_add(timing.within), now.saturating_add(timing.idle));
        Self { within, idle }
    }

    #[inline]
    fn stayed(&mut self, now: u64, timing: Timing) {
        self.idle = now.saturating_add(timing.idle);
    }

    fn again(&mut self, lapse: Lapse, now: u64, timing: Timing) {
        match lapse {
            Lapse::Within => self.within = now.saturating_add(timing.within),
            Lapse::Idle => self.idle = now.saturating_add(timing.idle),
        }
    }

    fn lapse(&self, now: u64, _: Timing) -> Lapse {
        if self.within <= now { Lapse::Within } else { Lapse::Idle }
    }

    #[inline]
    fn due(&self) -> u64 {
        self.within.min(self.idle)
    }

    fn only(at: u64) -> Self {
        Self { within: at, idle: Timing::NEVER }
    }
}
