//! The result of a benchmark: a value per peer, and targets for ours.

use serde::Serialize;

use crate::peer::Peer;

mod series;
mod statistics;
mod target;
mod unit;

pub(crate) use self::series::{Measured, Series, Skipped};
pub(crate) use self::statistics::Statistics;
pub(crate) use self::target::{Target, Verdict};
pub(crate) use self::unit::Unit;

/// One row of the summary table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// The name on the command line and of the picture, such as `resp-cpu-get-p1`.
    pub(crate) name: String,
    /// The quantity, such as `user instructions per 64-byte echo`.
    pub(crate) title: String,
    pub(crate) unit: Unit,
    pub(crate) targets: Vec<Target>,
    #[serde(flatten)]
    pub(crate) series: Series,
}

impl Figure {
    pub(crate) fn new(
        name: &str,
        title: &str,
        unit: Unit,
        targets: impl Into<Vec<Target>>,
        series: Series,
    ) -> Self {
        let (name, title) = (name.to_owned(), title.to_owned());
        Self { name, title, unit, targets: targets.into(), series }
    }

    /// The best of the peers that have no column of their own in the summary table.
    pub(crate) fn best_other(&self) -> Option<Measured> {
        let columns = [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio];
        let others = self.series.measured.iter().copied();
        let others = others.filter(|measured| !columns.contains(&measured.peer));
        if self.more_is_better() {
            others.max_by(|a, b| a.value.median.total_cmp(&b.value.median))
        } else {
            others.min_by(|a, b| a.value.median.total_cmp(&b.value.median))
        }
    }

    fn more_is_better(&self) -> bool {
        self.targets.iter().any(|target| matches!(target, Target::AtLeast(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best_other(targets: &[Target]) -> Peer {
        let values = [(Peer::Ours, 1.0), (Peer::May, 3.0), (Peer::Compio, 2.0), (Peer::C, 0.5)];
        let measured =
            values.map(|(peer, value)| Measured { peer, value: Statistics::of(vec![value]) });
        let series = Series { measured: measured.to_vec(), skipped: vec![] };
        Figure::new("x", "x", Unit::Ratio, targets, series).best_other().unwrap().peer
    }

    #[test]
    fn the_best_other_peer_has_the_smallest_value_unless_more_is_better() {
        assert_eq!(best_other(&[]), Peer::Compio);
        assert_eq!(best_other(&[Target::AtLeast(1.0)]), Peer::May);
    }
}
