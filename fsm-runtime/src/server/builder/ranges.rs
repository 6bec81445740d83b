use std::ops::RangeInclusive;

use crate::PoolError;

/// The settings of a pool that are out of their ranges.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    wrong: Vec<OutOfRange>,
}

#[derive(Debug)]
struct OutOfRange {
    setting: &'static str,
    value: usize,
    range: RangeInclusive<usize>,
}

impl Ranges {
    /// Returns the value of a setting. One that is out of its range is recorded, and the nearest one in it takes
    /// its place, because the pool has handles also if it does not start.
    pub(super) fn check(
        &mut self,
        setting: &'static str,
        value: usize,
        range: RangeInclusive<usize>,
    ) -> usize {
        // The last call for a setting counts.
        self.wrong.retain(|wrong| wrong.setting != setting);
        let nearest = value.clamp(*range.start(), *range.end());
        if nearest != value {
            self.wrong.push(OutOfRange { setting, value, range });
        }
        nearest
    }

    /// Returns the error of the first setting that is out of its range.
    pub(super) fn result(&self, pool: &str) -> Result<(), PoolError> {
        let Some(OutOfRange { setting, value, range }) = self.wrong.first() else { return Ok(()) };
        let (least, most) = (range.start(), range.end());
        let why = if *most == usize::MAX {
            format!("it is {value}, and must be at least {least}")
        } else {
            format!("it is {value}, and must be from {least} to {most}")
        };
        Err(PoolError::Setting { pool: pool.to_owned(), setting, why })
    }
}
