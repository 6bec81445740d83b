//! Jobs that processes of Python do.

use std::thread;

use clap::ValueEnum;
use fsm_runtime::{Json, Pool, Raised, Service};

use super::jobs::{Cost, Stopwatch};
use crate::error::Error;
use crate::peer::Peer;

#[cfg(feature = "pyo3")]
mod embedded;

/// The functions, which is a program as well.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/programs/python/jobs.py");

/// The work of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Nothing that takes time.
    Successor,
    /// Some milliseconds of computing.
    Total,
}

impl Work {
    /// The function that does it, and its argument.
    fn call(self) -> (&'static str, u64) {
        match self {
            Self::Successor => ("successor", 1),
            Self::Total => ("total", 50_000),
        }
    }
}

struct Numbers;

impl Service for Numbers {
    type Job = Json<u64>;
    type Reply = Result<Json<u64>, Raised>;
}

/// Runs jobs, one at a time for each process; `None` if the peer has no such program.
pub(crate) fn run(
    peer: Peer,
    work: Work,
    processes: u64,
    jobs: u64,
) -> Option<Result<Cost, Error>> {
    match peer {
        Peer::Ours => Some(ours(work, processes, jobs)),
        Peer::Multiprocessing => Some(python("multiprocessing", work, processes, jobs)),
        #[cfg(feature = "pyo3")]
        Peer::Pyo3 => {
            let (function, job) = work.call();
            Some(embedded::run(FILE, function, job, processes, jobs))
        }
        Peer::Pipe if processes == 1 => Some(python("pipe", work, processes, jobs)),
        _ => None,
    }
}

fn ours(work: Work, processes: u64, jobs: u64) -> Result<Cost, Error> {
    let (function, job) = work.call();
    let pool = Pool::python::<Numbers>("numbers", format!("{FILE}:{function}"))
        .processes(usize::try_from(processes).unwrap_or(1))
        .build();
    let numbers = pool.submitter::<Numbers>()?;
    let running = pool.start()?;
    let submit = |jobs: u64| {
        for _ in 0..jobs {
            let reply = numbers.submit(Json(job)).map_err(|error| error.to_string())?.wait();
            reply.ok_or("a job is gone")?.map_err(|raised| raised.to_string())?;
        }
        Ok::<(), String>(())
    };
    submit(4).map_err(Error::failed)?;
    let stopwatch = Stopwatch::start();
    let done: Result<Vec<()>, String> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..processes).map(|_| scope.spawn(|| submit(jobs / processes))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(()))).collect()
    });
    done.map_err(Error::failed)?;
    let cost = stopwatch.stop(jobs / processes * processes);
    running.drain()?;
    Ok(cost)
}

/// Runs the same jobs in a program of Python, which prints their cost.
fn python(peer: &str, work: Work, processes: u64, jobs: u64) -> Result<Cost, Error> {
    let (work, processes, jobs) = (super::name(&work), processes.to_string(), jobs.to_string());
    Cost::printed_by(&["python3".into(), FILE.into(), peer.into(), work, processes, jobs])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_runs_all_jobs() {
        let mut peers = vec![(Peer::Ours, 2), (Peer::Multiprocessing, 2), (Peer::Pipe, 1)];
        if cfg!(feature = "pyo3") {
            peers.push((Peer::Pyo3, 2));
        }
        for (peer, processes) in peers {
            let cost = run(peer, Work::Successor, processes, 20).unwrap().unwrap();
            assert!(cost.jobs == 20 && !cost.elapsed.is_zero(), "{cost:?}");
        }
    }
}
