//! Expiry times in commands: their units, and the checks of their arithmetic.

use crate::command::Call;
use crate::request::Error;
use crate::store::NEVER;

/// The unit of a time in a command, and the time from which it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    millis: i64,
    /// Whether it counts from now, and else from the Unix epoch.
    from_now: bool,
}

pub(crate) const EX: Unit = Unit { millis: 1000, from_now: true };
pub(crate) const PX: Unit = Unit { millis: 1, from_now: true };
pub(crate) const EXAT: Unit = Unit { millis: 1000, from_now: false };
pub(crate) const PXAT: Unit = Unit { millis: 1, from_now: false };

impl Unit {
    /// The unit that an option in lower case names.
    pub(crate) fn of(option: &[u8]) -> Option<Self> {
        match option {
            b"ex" => Some(EX),
            b"px" => Some(PX),
            b"exat" => Some(EXAT),
            b"pxat" => Some(PXAT),
            _ => None,
        }
    }

    /// A number of these units, in milliseconds since the epoch; `None` if that overflows. It is
    /// never [`NEVER`], the lowest number.
    fn to_millis(self, number: i64, now: i64) -> Option<i64> {
        let base = if self.from_now { now } else { 0 };
        number.checked_mul(self.millis)?.checked_add(base).map(|at| at.max(NEVER + 1))
    }

    /// A time in milliseconds since the epoch, rounded to these units. The time left is at least 0.
    pub(crate) fn rounded(self, at: i64, now: i64) -> i64 {
        let millis = if self.from_now { at.saturating_sub(now).max(0) } else { at };
        let (millis, unit) = (i128::from(millis), i128::from(self.millis));
        i64::try_from((millis + unit / 2) / unit).unwrap_or(i64::MAX)
    }
}

impl Call<'_> {
    /// Parses argument `i` as a time of at least `least` units; returns milliseconds since the
    /// epoch.
    pub(crate) fn expiry(&self, i: usize, unit: Unit, least: i64) -> Result<i64, Error> {
        let number = Some(self.int(i)?).filter(|number| *number >= least);
        number.and_then(|number| unit.to_millis(number, self.store.now)).ok_or_else(|| {
            format!("ERR invalid expire time in '{}' command", self.command.name).into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_overflow_are_refused() {
        let now = 1_700_000_000_000;
        assert_eq!(EX.to_millis(10, now), Some(now + 10_000));
        assert_eq!(PXAT.to_millis(i64::MAX, now), Some(i64::MAX));
        assert_eq!(PX.to_millis(i64::MAX, now), None);
        assert_eq!(PX.to_millis(i64::MAX, -1), Some(i64::MAX - 1));
        assert_eq!(EXAT.to_millis(i64::MAX / 1000 + 1, now), None);
        assert_eq!(EX.to_millis(i64::MIN / 1000 - 1, now), None);
        assert_eq!(PX.to_millis(i64::MIN, -1), None);
        assert_eq!(PXAT.to_millis(i64::MIN, now), Some(i64::MIN + 1));
    }

    #[test]
    fn the_time_left_is_rounded_and_never_negative() {
        assert_eq!((EX.rounded(1_500, 0), EX.rounded(1_499, 0), EX.rounded(5, 9)), (2, 1, 0));
        assert_eq!(EXAT.rounded(i64::MAX, 0), 9_223_372_036_854_776);
        assert_eq!((PX.rounded(i64::MAX, i64::MIN), PXAT.rounded(-5, 9)), (i64::MAX, -5));
    }
}
