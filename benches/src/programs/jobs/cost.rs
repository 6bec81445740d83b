use std::process::Command;
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::error::Error;

/// The cost of a number of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) jobs: u64,
    /// CPU time of all threads of the process.
    pub(crate) cpu: Duration,
    pub(crate) elapsed: Duration,
}

/// Measures elapsed time and CPU time.
pub(in crate::programs) struct Stopwatch {
    start: Instant,
    cpu: Duration,
}

impl Cost {
    pub(crate) fn cpu_nanoseconds_per_job(&self) -> f64 {
        self.nanoseconds_per_job(self.cpu)
    }

    pub(crate) fn elapsed_nanoseconds_per_job(&self) -> f64 {
        self.nanoseconds_per_job(self.elapsed)
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 jobs")]
    fn nanoseconds_per_job(&self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e9 / self.jobs as f64
    }

    /// The cost as a line, for the process that started this one.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.jobs, self.cpu.as_nanos(), self.elapsed.as_nanos())
    }

    /// Runs a command, given as its words, that prints a cost.
    pub(crate) fn printed_by(words: &[String]) -> Result<Self, Error> {
        let mut command = Command::new(&words[0]);
        let output = command.args(&words[1..]).output().map_err(Error::doing("run"))?;
        Self::parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| {
            Error::failed(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)))
        })
    }

    /// Parses a line that [`line`](Self::line) wrote.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        let jobs = numbers.next()??;
        let mut time = || numbers.next()?.map(Duration::from_nanos);
        Some(Self { jobs, cpu: time()?, elapsed: time()? })
    }
}

impl Stopwatch {
    pub(in crate::programs) fn start() -> Self {
        Self { start: Instant::now(), cpu: process_cpu() }
    }

    pub(in crate::programs) fn stop(&self, jobs: u64) -> Cost {
        let cpu = process_cpu().saturating_sub(self.cpu);
        Cost { jobs, cpu, elapsed: self.start.elapsed() }
    }
}

fn process_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}
