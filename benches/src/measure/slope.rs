use crate::error::Error;

/// Two amounts of the same work.
///
/// The slope between their costs is the cost of one unit of work, without start-up and shutdown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slope {
    pub(crate) few: u64,
    pub(crate) many: u64,
}

impl Slope {
    /// Measures the cost of both amounts and returns the cost of one unit.
    #[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^53")]
    pub(crate) fn measure(
        self,
        mut cost: impl FnMut(u64) -> Result<f64, Error>,
    ) -> Result<f64, Error> {
        let few = cost(self.few)?;
        let many = cost(self.many)?;
        Ok((many - few) / (self.many - self.few) as f64)
    }
}
