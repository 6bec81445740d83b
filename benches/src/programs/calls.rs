//! Jobs that one thread gives to another, and their replies: a number, and its successor.
//!
//! So many jobs are on their way at a time; as soon as a reply is there, the next job leaves. Each job
//! is two messages, there and back.

mod channels;
mod ours;
mod parked;

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::{Error, Peer};

/// What so many jobs cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) jobs: u64,
    /// The time that the threads of the process had a processor.
    pub(crate) processor: Duration,
    /// The time that passed.
    pub(crate) passed: Duration,
}

impl Cost {
    /// Nanoseconds of processor time a job, and of time.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 jobs")]
    pub(crate) fn each(&self) -> (f64, f64) {
        let each = |time: Duration| time.as_secs_f64() * 1e9 / self.jobs as f64;
        (each(self.processor), each(self.passed))
    }

    /// It as a line, for another process.
    pub(crate) fn line(&self) -> String {
        format!("{} {} {}", self.jobs, self.processor.as_nanos(), self.passed.as_nanos())
    }

    /// What such a line says.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let mut numbers = line.split_whitespace().map(|number| number.parse().ok());
        let jobs = numbers.next()??;
        let mut time = || numbers.next()?.map(Duration::from_nanos);
        Some(Self { jobs, processor: time()?, passed: time()? })
    }
}

/// Gives about so many jobs, `batch` at a time; `None` for a peer that has no way to.
pub(crate) fn run(peer: Peer, jobs: u64, batch: u64) -> Option<Result<Cost, Error>> {
    // Each of the batch does as many.
    let each = jobs.div_ceil(batch);
    match peer {
        Peer::Ours => Some(ours::run(each, batch)),
        Peer::Crossbeam => Some(Ok(channels::run(each, batch))),
        // A thread that waits for one job cannot have two.
        Peer::Futex if batch == 1 => Some(Ok(parked::run(each))),
        _ => None,
    }
}

/// Takes the time, of the clock and of the processor.
struct Watch {
    begin: Instant,
    used: Duration,
}

impl Watch {
    fn start() -> Self {
        Self { begin: Instant::now(), used: used() }
    }

    fn stop(&self, jobs: u64) -> Cost {
        Cost { jobs, processor: used().saturating_sub(self.used), passed: self.begin.elapsed() }
    }
}

/// The time that the threads of this process have run until now.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_do_all_jobs() {
        for peer in [Peer::Ours, Peer::Crossbeam] {
            let cost = run(peer, 10_000, 64).unwrap().unwrap();
            assert_eq!(cost.jobs, 157 * 64);
            assert!(!cost.passed.is_zero() && !cost.processor.is_zero(), "{cost:?}");
            assert_eq!(Cost::read(&cost.line()), Some(cost));
        }
        for peer in [Peer::Ours, Peer::Crossbeam, Peer::Futex] {
            assert_eq!(run(peer, 1000, 1).unwrap().unwrap().jobs, 1000);
        }
    }
}
