//! The result of a run, as text and as JSON.

use std::fmt;
use std::time::{Duration, Instant};

use fsm_runtime::Stats;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::load::Load;
use crate::options::{Options, Server};
use crate::tally::{Errors, Tally};

/// The quantiles that are shown, with their names.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// The result of a run.
#[derive(Debug)]
pub(crate) struct Report {
    server: String,
    connections: usize,
    rate: Option<usize>,
    /// The measured time, up to Ctrl-C or the last answer of a number of requests.
    time: Duration,
    /// `None` if a number of requests bounded the run.
    warmup: Option<Duration>,
    latencies: Histogram<u64>,
    /// How much later than due requests were sent, if they were due at fixed times.
    delays: Option<Histogram<u64>>,
    misses: u64,
    errors: Errors,
}

impl Report {
    /// The report of a run that has just ended.
    pub(crate) fn new(options: &Options, load: &Load, stats: &Stats) -> Self {
        let Tally { latencies, delays, misses, errors, stopped, .. } = load.state().tally.clone();
        let end = load.measured_until(stopped.unwrap_or_else(Instant::now));
        let errors = Errors { unsent: load.unsent(end), ..errors.with(stats) };
        Self {
            server: match options.server() {
                Server::Resp(target) => target.to_owned(),
                Server::Http(url) => url.to_string(),
            },
            connections: options.connections.get(),
            rate: options.rate.map(std::num::NonZero::get),
            time: end.saturating_duration_since(load.measured_from),
            warmup: options.requests.is_none().then_some(options.warmup),
            latencies,
            delays: load.is_open().then_some(delays),
            misses,
            errors,
        }
    }

    /// The number of requests of the measured time that were answered.
    pub(crate) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    fn throughput(&self) -> f64 {
        let seconds = self.time.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "it is shown with fewer digits")]
        let requests = self.requests() as f64;
        if seconds > 0.0 { requests / seconds } else { 0.0 }
    }

    pub(crate) fn json(&self) -> Value {
        let times = |times: &Histogram<u64>| -> Value {
            QUANTILES
                .iter()
                .map(|(name, at)| ((*name).to_owned(), Value::from(times.value_at_quantile(*at))))
                .collect()
        };
        let kinds = self.errors.kinds();
        let errors: Value =
            kinds.iter().map(|(kind, count)| ((*kind).to_owned(), Value::from(*count))).collect();
        json!({
            "server": self.server,
            "connections": self.connections,
            "rate": self.rate,
            "seconds": self.time.as_secs_f64(),
            "requests": self.requests(),
            "requests_per_second": self.throughput(),
            "misses": self.misses,
            "errors": self.errors.total(),
            "errors_by_kind": errors,
            "latency_us": times(&self.latencies),
            "sent_late_us": self.delays.as_ref().map(times),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} connections to {}", self.connections, self.server)?;
        write!(f, "time        {:.1} s", self.time.as_secs_f64())?;
        match self.warmup {
            Some(warmup) => writeln!(f, " after {:.1} s", warmup.as_secs_f64())?,
            None => writeln!(f)?,
        }
        writeln!(f, "requests    {}", self.requests())?;
        write!(f, "throughput  {:.1}/s", self.throughput())?;
        match self.rate {
            Some(rate) => writeln!(f, " of {rate}/s")?,
            None => writeln!(f)?,
        }
        if self.misses > 0 {
            writeln!(f, "misses      {}", self.misses)?;
        }
        write!(f, "errors      {}", self.errors.total())?;
        for (kind, count) in self.errors.kinds().iter().filter(|(_, count)| *count > 0) {
            write!(f, ", {kind} {count}")?;
        }
        writeln!(f)?;
        line(f, "latency", &self.latencies)?;
        self.delays.as_ref().map_or(Ok(()), |delays| line(f, "sent late", delays))
    }
}

/// A line of times.
fn line(f: &mut fmt::Formatter<'_>, name: &str, times: &Histogram<u64>) -> fmt::Result {
    write!(f, "{name:<11}")?;
    for (quantile, at) in QUANTILES {
        let micros = Duration::from_micros(times.value_at_quantile(at));
        write!(f, " {quantile} {:.3} ms ", micros.as_secs_f64() * 1e3)?;
    }
    writeln!(f)
}
