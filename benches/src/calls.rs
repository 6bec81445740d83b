//! Jobs that one thread gives to another, and their replies: a number, and its successor.
//!
//! So many jobs are on their way at a time; as soon as a reply is there, the next job leaves. Each job
//! is two messages, there and back.

mod channels;
mod ours;
mod parked;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::figure::Peer;

/// What so many jobs cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub(crate) jobs: u64,
    /// User and system time of the process, in nanoseconds.
    pub(crate) processor: f64,
    /// Time that passed, in nanoseconds.
    pub(crate) passed: f64,
}

/// Gives about so many jobs, `batch` at a time; `None` for a peer that has no way to.
pub(crate) fn run(peer: Peer, jobs: u64, batch: u64) -> Option<Result<Cost, String>> {
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
        let passed = self.begin.elapsed();
        let processor = used() - self.used;
        Cost { jobs, processor: processor.as_secs_f64() * 1e9, passed: passed.as_secs_f64() * 1e9 }
    }
}

/// The time that the threads of this process have run until now.
fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_do_all_jobs() {
        for peer in [Peer::Ours, Peer::Crossbeam] {
            let cost = run(peer, 10_000, 64).unwrap().unwrap();
            assert_eq!(cost.jobs, 157 * 64);
            assert!(cost.passed > 0.0 && cost.processor > 0.0, "{cost:?}");
        }
        for peer in [Peer::Ours, Peer::Crossbeam, Peer::Futex] {
            assert_eq!(run(peer, 1000, 1).unwrap().unwrap().jobs, 1000);
        }
    }
}
