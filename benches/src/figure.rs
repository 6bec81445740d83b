use serde::Serialize;

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
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
