use serde::Serialize;

/// Median and range of the runs of one measurement.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Statistics {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) runs: usize,
}

impl Statistics {
    /// # Panics
    ///
    /// Panics if `runs` is empty.
    pub(crate) fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        let middle = runs.len() / 2;
        let median = if runs.len() % 2 == 1 {
            runs[middle]
        } else {
            f64::midpoint(runs[middle - 1], runs[middle])
        };
        Self { median, min: runs[0], max: runs[runs.len() - 1], runs: runs.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_odd_number_of_runs_is_the_middle_one() {
        let value = Statistics::of(vec![9.0, 1.0, 2.0]);
        assert_eq!((value.median, value.min, value.max), (2.0, 1.0, 9.0));
    }

    #[test]
    fn the_median_of_an_even_number_of_runs_is_the_mean_of_the_middle_two() {
        let value = Statistics::of(vec![4.0, 1.0]);
        assert_eq!((value.median, value.runs), (2.5, 2));
    }
}
