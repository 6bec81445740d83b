use std::time::Duration;

#[cfg(feature = "transitions")]
use crate::Trigger;
use crate::clock::whole_millis;
#[cfg(all(feature = "pool", unix))]
use crate::moves::packed_connection::{Left, TimerLeft};
use crate::snapshot::{Age, Since};

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
    pub(super) counts: Counts,
}

/// The event from which a timer counts. The numbers are part of the form of a
/// [`PackedConnection`](crate::moves::packed_connection::PackedConnection), so that new ones come at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    /// Entering the state from another one.
    FromEntry,
    /// The same, and each completion of the state's wait.
    FromCompletion,
    /// Entering the state, and each completed read of the other socket beside the state's wait.
    FromOtherRead,
    /// Entering the state, and each expiry.
    FromTick,
    /// The first byte of an incomplete message.
    FromFirstByte,
    /// The end of one of two streams, and each byte after it.
    FromEnd,
    /// Entering a state with this timer from a state without it.
    FromOutside,
    /// The last completed read, also in an earlier state.
    FromRead,
    /// Nothing: a timer of other states that count from a read stands still.
    Paused,
    /// The same, until the state completes a read.
    PausedUntilRead,
}

/// The bit of a deadline that stands still; the other bits are the time that is left.
pub(super) const PAUSED: u64 = 1 << 63;

impl Timer {
    /// A timer that never expires.
    pub const NEVER: Self = Self { millis: u64::MAX, counts: Counts::FromEntry };

    /// A timer that counts from entering the state from another one.
    #[inline]
    pub const fn within(millis: u64) -> Self {
        Self { millis, counts: Counts::FromEntry }
    }

    /// A timer that counts from entering the state, and again from each completion of its wait.
    /// While a timer of [`begun`](Self::begun) runs, it stands still.
    #[inline]
    pub const fn idle(millis: u64) -> Self {
        Self { millis, counts: Counts::FromCompletion }
    }

    /// A timer that counts from entering the state, and again from each completed read of the other socket,
    /// which stands beside the state's wait.
    #[inline]
    pub const fn other_idle(millis: u64) -> Self {
        Self { millis, counts: Counts::FromOtherRead }
    }

    /// A timer that calls a handler, and counts again from then.
    #[inline]
    pub const fn tick(millis: u64) -> Self {
        Self { millis, counts: Counts::FromTick }
    }

    /// A timer that counts from the first byte of a message until the message is complete.
    #[inline]
    pub const fn begun(millis: u64) -> Self {
        Self { millis, counts: Counts::FromFirstByte }
    }

    /// A timer that counts from the end of one of two streams, and again from each byte that moves after it.
    #[inline]
    pub const fn half_closed(millis: u64) -> Self {
        Self { millis, counts: Counts::FromEnd }
    }

    /// A timer like [`idle`](Self::idle) that a message, a tick or a deadline does not restart, even if the
    /// machine leaves the state and comes back. It has the same index in all states; those without it
    /// have [`PAUSED`](Self::PAUSED) or [`PAUSED_UNTIL_READ`](Self::PAUSED_UNTIL_READ) there.
    #[inline]
    pub const fn since_read(millis: u64) -> Self {
        Self { millis, counts: Counts::FromRead }
    }

    /// The timer of a state in which a timer of other states stands still.
    pub const PAUSED: Self = Self { millis: u64::MAX, counts: Counts::Paused };

    /// The same for a state that reads: a read that it completes ends the timer of the other states, which
    /// then begin anew.
    pub const PAUSED_UNTIL_READ: Self = Self { millis: u64::MAX, counts: Counts::PausedUntilRead };

    /// A timer of several states, at the same index in each. It counts from entering one of them
    /// from a state that is none of them.
    #[inline]
    pub const fn budget(millis: u64) -> Self {
        Self { millis, counts: Counts::FromOutside }
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

    /// Converts a constant time as [`millis`](Self::millis) does, without a bound.
    pub const fn millis_of(time: Duration) -> u64 {
        whole_millis(time)
    }

    #[inline]
    pub(super) fn deadline(self, now: u64) -> u64 {
        now.saturating_add(self.millis)
    }

    /// The time that this deadline of the timer has left; `None` for [`NEVER`](Self::NEVER).
    #[cfg(all(feature = "pool", unix))]
    pub(super) fn left(self, deadline: u64, now: u64) -> Option<TimerLeft> {
        if self == Self::NEVER {
            return None;
        }
        let left = match deadline {
            u64::MAX => Left::Unarmed,
            paused if paused >= PAUSED => Left::Paused(paused & !PAUSED),
            armed => Left::Runs(armed.saturating_sub(now)),
        };
        Some(TimerLeft { counts: self.counts as u8, left })
    }

    /// Whether another process means this timer.
    #[cfg(all(feature = "pool", unix))]
    pub(super) fn is_meant_by(self, other: TimerLeft) -> bool {
        self != Self::NEVER && self.counts as u8 == other.counts
    }

    /// The deadline of the timer that has so much left, and no more than it has from the beginning.
    #[cfg(all(feature = "pool", unix))]
    pub(super) fn with_left(self, left: Left, now: u64) -> u64 {
        match left {
            Left::Unarmed => u64::MAX,
            Left::Paused(left) => PAUSED | left.min(!PAUSED >> 1),
            Left::Runs(left) => now.saturating_add(left.min(self.millis)),
        }
    }

    /// The time from which this deadline of the timer counts, and the event; `None` if it is not armed.
    pub(crate) fn since(self, deadline: u64) -> Option<(u64, Since)> {
        let since = match self.counts {
            Counts::FromEntry => Since::Entered,
            Counts::FromCompletion | Counts::FromOtherRead | Counts::FromRead => Since::Progress,
            Counts::FromFirstByte => Since::FirstByte,
            Counts::FromEnd => Since::HalfClosed,
            Counts::FromOutside => Since::Group,
            Counts::FromTick | Counts::Paused | Counts::PausedUntilRead => return None,
        };
        if deadline >= PAUSED {
            return None;
        }
        Some((deadline.checked_sub(self.millis)?, since))
    }

    /// The age that this deadline of the timer implies at `now`; `None` if it is not armed.
    pub(crate) fn age(self, deadline: u64, now: u64) -> Option<Age> {
        let (start, since) = self.since(deadline)?;
        Some(Age { time: Duration::from_millis(now.saturating_sub(start)), since })
    }

    /// Whether the edge of this event is that of the timer.
    #[cfg(feature = "transitions")]
    pub(crate) fn takes(self, trigger: &Trigger) -> bool {
        match self.counts {
            Counts::FromEntry => matches!(trigger, Trigger::Within(_)),
            Counts::FromCompletion | Counts::FromRead => matches!(trigger, Trigger::Idle(_)),
            Counts::FromOtherRead => matches!(trigger, Trigger::Other(Trigger::Idle(_))),
            Counts::FromFirstByte => matches!(trigger, Trigger::Begun(_)),
            Counts::FromEnd => matches!(trigger, Trigger::HalfClosed(_)),
            Counts::FromOutside => matches!(trigger, Trigger::Budget(_)),
            Counts::FromTick | Counts::Paused | Counts::PausedUntilRead => false,
        }
    }

    /// Whether it is the time of a group of states.
    pub(crate) fn is_budget(self) -> bool {
        self.counts == Counts::FromOutside
    }

    /// Whether the timer calls a handler again and again.
    pub(crate) fn is_tick(self) -> bool {
        self.counts == Counts::FromTick
    }
}

/// The type of the expression in `#[sleep(..)]`: a `Duration`, or a reference to one.
#[diagnostic::on_unimplemented(message = "`{Self}` is no time", label = "a time is a `Duration`")]
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
