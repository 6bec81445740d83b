//! The results of a load.

use std::fmt;
use std::time::Duration;

use super::Setting;

/// The result of a load in one setting.
#[derive(Clone, Debug)]
pub struct Report {
    /// The setting.
    pub setting: Setting,
    /// The number of documents filed; the server has each of them once, with the right digest.
    pub filed: u64,
    /// The time under load.
    pub took: Duration,
    /// The findings of the checks; empty if all is well.
    pub failures: Vec<String>,
    /// The latencies of PUTs.
    pub puts: Latencies,
    /// The latencies of GETs of small documents.
    pub gets: Latencies,
    /// The peak number of jobs in the index pool.
    pub peak: u64,
    /// The jobs of the index pool.
    pub index: JobCounts,
    /// The jobs of the catalog pool.
    pub catalog: JobCounts,
    /// The peak of the sampled anonymous memory of the server, in bytes.
    pub memory: u64,
    /// The processor time of the server under load.
    pub cpu: Duration,
}

impl Report {
    /// The header of the table.
    pub const HEADER: &str = "| setting | filed | per s | PUT p50 | PUT p99 | GETs | GET p50 | GET p99 | GET p99.9 | slowest GET | peak in index | MiB | CPU s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

    /// The number of documents filed each second.
    pub fn per_second(&self) -> f64 {
        self.filed as f64 / self.took.as_secs_f64()
    }
}

/// Formats a row of the table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let Self { setting, filed, puts, gets, peak, .. } = self;
        write!(f, "| {} | {filed} | {:.1} ", setting.name, self.per_second())?;
        write!(f, "| {} | {} ", ms(puts.per_mille(500)), ms(puts.per_mille(990)))?;
        write!(f, "| {} | {} ", gets.len(), ms(gets.per_mille(500)))?;
        write!(f, "| {} | {} ", ms(gets.per_mille(990)), ms(gets.per_mille(999)))?;
        write!(f, "| {} | {peak} ", ms(gets.longest()))?;
        write!(f, "| {:.0} | {:.1} |", self.memory as f64 / 1_048_576.0, self.cpu.as_secs_f64())
    }
}

/// The final job counters of a pool, from its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobCounts {
    /// Jobs offered to the pool.
    pub offered: u64,
    /// Jobs that the pool took.
    pub taken: u64,
    /// Jobs that were refused or abandoned, or still wait.
    pub others: u64,
}

impl JobCounts {
    pub(super) fn read(log: &str, pool: &str) -> Self {
        let stat = |key| stat(log, pool, key);
        let others = stat("refused") + stat("abandoned") + stat("waiting");
        Self { offered: stat("offered"), taken: stat("taken"), others }
    }
}

/// A counter that a pool logged at its end.
pub(super) fn stat(log: &str, pool: &str, key: &str) -> u64 {
    let ended = format!("ended pool=\"{pool}\"");
    let line = log.lines().find(|line| line.contains(&ended)).expect("a pool logs its counters");
    let (_, rest) =
        line.split_once(&format!(" {key}: ")).unwrap_or_else(|| panic!("{key}: {line}"));
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().expect("it is a number")
}

/// Sorted latencies.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The latency that `part` of a thousand do not exceed.
    pub fn per_mille(&self, part: usize) -> Duration {
        let rank = (self.0.len() * part).div_ceil(1_000).max(1) - 1;
        self.0.get(rank).copied().unwrap_or_default()
    }

    /// The number of latencies.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The longest latency.
    pub fn longest(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}
