//! Jobs from one thread to another and their replies: a number and its successor.
//!
//! A fixed number of jobs is in flight; each reply starts the next job. A job costs two messages.

mod channels;
mod cost;
mod ours;
mod parked;

pub(crate) use self::cost::Cost;
pub(super) use self::cost::Stopwatch;
use crate::error::Error;
use crate::peer::Peer;

/// Runs at least `jobs` jobs, `batch` in flight; `None` if the peer has no such program.
pub(crate) fn run(peer: Peer, jobs: u64, batch: u64) -> Option<Result<Cost, Error>> {
    // Each of the `batch` chains makes the same number of jobs, one after another.
    let chain = jobs.div_ceil(batch);
    match peer {
        Peer::Ours => Some(ours::run(chain, batch)),
        Peer::Crossbeam => Some(Ok(channels::run(chain, batch))),
        // A parked thread waits for a single job.
        Peer::Futex if batch == 1 => Some(Ok(parked::run(chain))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_runs_all_jobs() {
        for peer in [Peer::Ours, Peer::Crossbeam] {
            let cost = run(peer, 10_000, 64).unwrap().unwrap();
            assert_eq!(cost.jobs, 157 * 64);
            assert!(!cost.elapsed.is_zero() && !cost.cpu.is_zero(), "{cost:?}");
            assert_eq!(Cost::parse(&cost.line()), Some(cost));
        }
        for peer in [Peer::Ours, Peer::Crossbeam, Peer::Futex] {
            assert_eq!(run(peer, 1000, 1).unwrap().unwrap().jobs, 1000);
        }
    }
}
