use std::time::Duration;

use crate::clock::whole_millis;

/// A timer of a state: a time in milliseconds, and the event from which it counts.
///
/// It counts from the time of the turn in which the event occurs ([`Cx::now`](crate::Cx::now)), and may
/// expire some milliseconds late.
///
/// ```
/// use fsm_runtime::Timer;
///
/// let idle = Timer::idle(60_000);
/// assert_ne!(idle, Timer::within(60_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    millis: u64,
    restarts: bool,
}

impl Timer {
    /// A timer that never expires.
    pub const NEVER: Self = Self { millis: u64::MAX, restarts: false };

    /// A timer that counts from entering the state from another one.
    #[inline]
    pub const fn within(millis: u64) -> Self {
        Self { millis, restarts: false }
    }

    /// A timer that counts from entering the state, and again from each completion of its wait.
    #[inline]
    pub const fn idle(millis: u64) -> Self {
        Self { millis, restarts: true }
    }

    /// Converts a time to whole milliseconds: rounded up, at least 1 because a state lasts some
    /// time, and at most `max`.
    ///
    /// ```
    /// use fsm_runtime::Timer;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Timer::millis(Duration::from_micros(1_200), 60_000), 2);
    /// assert_eq!(Timer::millis(Duration::ZERO, 60_000), 1);
    /// assert_eq!(Timer::millis(Duration::MAX, 60_000), 60_000);
    /// ```
    pub fn millis(time: Duration, max: u64) -> u64 {
        whole_millis(time).min(max)
    }

    #[inline]
    fn deadline(self, now: u64) -> u64 {
        now.saturating_add(self.millis)
    }
}

/// The type of the expression in `#[sleep(..)]`: a `Duration`, or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time to sleep",
    label = "a time to sleep is a `Duration`"
)]
pub trait SleepTime: Copy {
    /// The time.
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

/// The deadlines of the current state of a connection or job, one for each of its timers, in
/// milliseconds of the pool's clock; `u64::MAX` for a timer that is not armed.
///
/// A connection stores 8 bytes for each of the `N` timers. Most machines have one timer a state:
///
/// ```
/// assert_eq!(size_of::<fsm_runtime::Deadlines<1>>(), 8);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadlines<const N: usize>([u64; N]);

/// A [`Deadlines<N>`](Deadlines) of any `N`.
pub trait DeadlineSet: sealed::DeadlineSet {}

impl<const N: usize> DeadlineSet for Deadlines<N> {}

pub(crate) mod sealed {
    use super::Timer;

    pub trait DeadlineSet: Sized + Send + 'static {
        /// The deadlines of a state that is entered at `now`. `timer` returns the timer with an
        /// index.
        fn entered(now: u64, timer: impl Fn(usize) -> Timer) -> Self;
        /// Arms the idle timers again, because the state's wait has completed and the machine
        /// stays.
        fn stayed(&mut self, now: u64, timer: impl Fn(usize) -> Timer);
        /// Arms a timer again that has expired without a change of state.
        fn restart(&mut self, index: usize, now: u64, timer: Timer);
        /// The first timer that has expired at `now`.
        fn expired(&self, now: u64) -> Option<usize>;
        /// The earliest deadline.
        fn earliest(&self) -> u64;
        /// This deadline in place of those of the state's timers.
        fn only(at: u64) -> Self;
    }
}

impl<const N: usize> sealed::DeadlineSet for Deadlines<N> {
    #[inline]
    fn entered(now: u64, timer: impl Fn(usize) -> Timer) -> Self {
        Self(std::array::from_fn(|index| timer(index).deadline(now)))
    }

    #[inline]
    fn stayed(&mut self, now: u64, timer: impl Fn(usize) -> Timer) {
        for (index, deadline) in self.0.iter_mut().enumerate() {
            let timer = timer(index);
            if timer.restarts {
                *deadline = timer.deadline(now);
            }
        }
    }

    fn restart(&mut self, index: usize, now: u64, timer: Timer) {
        self.0[index] = timer.deadline(now);
    }

    fn expired(&self, now: u64) -> Option<usize> {
        self.0.iter().position(|deadline| *deadline <= now)
    }

    #[inline]
    fn earliest(&self) -> u64 {
        self.0.iter().copied().min().unwrap_or(u64::MAX)
    }

    fn only(at: u64) -> Self {
        Self(std::array::from_fn(|index| if index == 0 { at } else { u64::MAX }))
    }
}

#[cfg(test)]
mod tests {
    use super::sealed::DeadlineSet;
    use super::*;

    #[test]
    fn x6_a_completed_wait_moves_the_idle_deadline_and_no_other_one() {
        let timers = [Timer::within(100), Timer::idle(30), Timer::NEVER];
        let mut deadlines = Deadlines::<3>::entered(1_000, |index| timers[index]);
        assert_eq!(deadlines.0, [1_100, 1_030, u64::MAX]);
        deadlines.stayed(1_020, |index| timers[index]);
        assert_eq!(deadlines.0, [1_100, 1_050, u64::MAX]);
        assert_eq!((deadlines.earliest(), deadlines.expired(1_049)), (1_050, None));
        assert_eq!((deadlines.expired(1_050), deadlines.expired(1_100)), (Some(1), Some(0)));
        deadlines.restart(1, 1_050, timers[1]);
        assert_eq!(deadlines.0, [1_100, 1_080, u64::MAX]);
    }

    #[test]
    fn pitfall_23_a_deadline_does_not_wrap() {
        let deadlines = Deadlines::<1>::entered(u64::MAX - 1, |_| Timer::within(60_000));
        assert_eq!(deadlines.earliest(), u64::MAX);
        assert_eq!(Deadlines::<0>::only(7).earliest(), u64::MAX);
    }
}
