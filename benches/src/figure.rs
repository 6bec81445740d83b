use serde::Serialize;

use crate::measure::Series;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Peer {
    /// A generated machine on a port.
    Ours,
    /// The loop one writes by hand on mio.
    Mio,
    /// The same with what the port does for everybody: deadlines, keys, limits.
    MioFeatures,
    /// The loop one writes by hand on epoll, in C.
    C,
    Tokio,
    TokioThreads,
    /// A runtime on `io_uring`.
    Compio,
    /// Coroutines with stacks.
    May,
    Redis,
    Nginx,
    /// nginx that has the kernel send files by itself.
    NginxSendfile,
    HandMatch,
    Smlang,
    Statig,
    RustFsm,
    Crossbeam,
    Futex,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    Instructions,
    SystemCalls,
    Allocations,
    Bytes,
    Microseconds,
    Nanoseconds,
    Milliseconds,
    /// So many of something: requests a second, wakes a message.
    Number,
}

/// The median of some runs, and the range they were in.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Value {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) runs: usize,
}

/// One row of the table: what something costs us, and the others.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// A name in one word, as in `resp-get-p1`.
    pub(crate) name: String,
    /// What it costs: `user instructions of a 64-byte echo`.
    pub(crate) what: String,
    pub(crate) unit: Unit,
    pub(crate) values: Vec<(Peer, Value)>,
    pub(crate) targets: Vec<Target>,
    /// Who is missing, and why.
    pub(crate) skipped: Vec<(Peer, String)>,
}

/// What we want to reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Our value is at most so many times that of the peer.
    Times(f64, Peer),
    Below(Peer),
}

impl Figure {
    pub(crate) fn new(
        name: &str,
        what: &str,
        unit: Unit,
        targets: impl Into<Vec<Target>>,
        series: Series,
    ) -> Self {
        let Series { values, skipped } = series;
        let (name, what) = (name.to_owned(), what.to_owned());
        Self { name, what, unit, values, targets: targets.into(), skipped }
    }

    pub(crate) fn value(&self, peer: Peer) -> Option<f64> {
        self.values.iter().find(|(who, _)| *who == peer).map(|(_, value)| value.median)
    }

    /// Whether more is better.
    pub(crate) fn rises(&self) -> bool {
        self.targets.iter().any(|target| matches!(target, Target::AtLeast(_)))
    }

    /// The best of the peers that have no column of their own in the summary.
    pub(crate) fn best_other(&self) -> Option<(Peer, f64)> {
        let named = [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio];
        let others = self.values.iter().filter(|(peer, _)| !named.contains(peer));
        let others = others.map(|(peer, value)| (*peer, value.median));
        if self.rises() {
            others.max_by(|a, b| a.1.total_cmp(&b.1))
        } else {
            others.min_by(|a, b| a.1.total_cmp(&b.1))
        }
    }
}

impl Target {
    /// Our value as a part of what it is compared with, and whether that is good enough; `None` where
    /// one of them was not measured.
    pub(crate) fn judge(self, figure: &Figure) -> Option<(f64, bool)> {
        let ours = figure.value(Peer::Ours)?;
        let (reference, met) = match self {
            Self::AtMost(limit) => (limit, ours <= limit),
            Self::AtLeast(limit) => (limit, ours >= limit),
            Self::Times(times, peer) => {
                let theirs = figure.value(peer)?;
                (theirs, ours <= times * theirs)
            }
            Self::Below(peer) => {
                let theirs = figure.value(peer)?;
                (theirs, ours < theirs)
            }
        };
        Some((ours / reference, met))
    }
}

impl Value {
    /// # Panics
    ///
    /// When there are no runs.
    pub(crate) fn of(mut runs: Vec<f64>) -> Self {
        runs.sort_by(f64::total_cmp);
        let middle = runs.len() / 2;
        let median = if runs.len() % 2 == 1 {
            runs[middle]
        } else {
            f64::midpoint(runs[middle - 1], runs[middle])
        };
        Self { median, least: runs[0], most: runs[runs.len() - 1], runs: runs.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(values: &[(Peer, f64)], targets: &[Target]) -> Figure {
        let values = values.iter().map(|(peer, value)| (*peer, Value::of(vec![*value]))).collect();
        Figure::new("x", "x", Unit::Number, targets, Series { values, skipped: vec![] })
    }

    #[test]
    fn the_median_of_runs_is_the_one_in_the_middle() {
        let value = Value::of(vec![9.0, 1.0, 2.0]);
        assert_eq!((value.median, value.least, value.most), (2.0, 1.0, 9.0));
        let value = Value::of(vec![4.0, 1.0]);
        assert_eq!((value.median, value.runs), (2.5, 2));
    }

    #[test]
    fn targets_are_judged_by_what_they_name() {
        let ours = figure(&[(Peer::Ours, 10.0), (Peer::C, 8.0)], &[]);
        assert_eq!(Target::AtMost(10.0).judge(&ours), Some((1.0, true)));
        assert_eq!(Target::AtLeast(20.0).judge(&ours), Some((0.5, false)));
        assert_eq!(Target::Times(1.25, Peer::C).judge(&ours), Some((1.25, true)));
        assert_eq!(Target::Below(Peer::C).judge(&ours), Some((1.25, false)));
        assert_eq!(Target::Below(Peer::Tokio).judge(&ours), None);
    }

    #[test]
    fn the_best_other_peer_has_the_least_or_the_most() {
        let values = [(Peer::Ours, 1.0), (Peer::May, 3.0), (Peer::Compio, 2.0), (Peer::C, 0.5)];
        assert_eq!(figure(&values, &[]).best_other(), Some((Peer::Compio, 2.0)));
        let rises = figure(&values, &[Target::AtLeast(1.0)]);
        assert_eq!(rises.best_other(), Some((Peer::May, 3.0)));
    }
}
