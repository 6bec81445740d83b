use serde::Serialize;

use super::series::Series;
use crate::peer::Peer;

/// A bound that our value should keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Our value is at most this multiple of the peer's.
    Times(f64, Peer),
    Below(Peer),
}

/// The comparison of our value with a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// Our value divided by the limit, or by the peer's value.
    pub(crate) ratio: f64,
    pub(crate) met: bool,
}

impl Target {
    /// Compares our median with the target; `None` if a value is missing.
    pub(crate) fn verdict(self, series: &Series) -> Option<Verdict> {
        let ours = series.median(Peer::Ours)?;
        let (reference, met) = match self {
            Self::AtMost(limit) => (limit, ours <= limit),
            Self::AtLeast(limit) => (limit, ours >= limit),
            Self::Times(times, peer) => {
                let theirs = series.median(peer)?;
                (theirs, ours <= times * theirs)
            }
            Self::Below(peer) => {
                let theirs = series.median(peer)?;
                (theirs, ours < theirs)
            }
        };
        Some(Verdict { ratio: ours / reference, met })
    }
}

#[cfg(test)]
mod tests {
    use super::super::series::Measured;
    use super::super::statistics::Statistics;
    use super::*;

    #[test]
    fn a_target_compares_our_median_with_its_limit_or_its_peer() {
        let measured = [(Peer::Ours, 10.0), (Peer::C, 8.0)]
            .map(|(peer, value)| Measured { peer, value: Statistics::of(vec![value]) });
        let series = Series { measured: measured.to_vec(), skipped: vec![] };
        let verdict = |ratio, met| Some(Verdict { ratio, met });
        assert_eq!(Target::AtMost(10.0).verdict(&series), verdict(1.0, true));
        assert_eq!(Target::AtLeast(20.0).verdict(&series), verdict(0.5, false));
        assert_eq!(Target::Times(1.25, Peer::C).verdict(&series), verdict(1.25, true));
        assert_eq!(Target::Below(Peer::C).verdict(&series), verdict(1.25, false));
        assert_eq!(Target::Below(Peer::Tokio).verdict(&series), None);
    }
}
