use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::prelude::*;
use fsm_runtime::{JobHandle, Stats};

use crate::Options;
use crate::call_log::{CallLog, Counts};
use crate::pools::{Caller, CallerHandler, Worker, WorkerHandler};
use fsm_tests::Random;

/// The time limit of anything that should be immediate.
const TIMEOUT: Duration = Duration::from_secs(120);
/// The slots used beyond the number of jobs, because freed slots are reused only after a batch.
const FREED: u32 = 1024 + 64;

/// A round: two pools, calls between them, and perhaps the close of one pool.
pub(crate) struct Round {
    options: Options,
    calls: u64,
    seed: u64,
    /// The pool to close, and the number of calls before.
    close: Option<(Closed, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closed {
    Callers,
    Workers,
}

impl Round {
    pub(crate) fn new(options: &Options, calls: u64, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let after = random.below(calls);
        let close = match random.below(4) {
            0 => Some((Closed::Callers, after)),
            1 => Some((Closed::Workers, after)),
            _ => None,
        };
        Self { options: *options, calls, seed, close }
    }

    pub(crate) fn run(&self) -> Result<Counts, Box<dyn std::error::Error>> {
        let Options { threads, callers, workers, room, .. } = self.options;
        let log = Arc::new(CallLog::new(self.calls, self.seed));
        let builder = Pool::builder::<Caller>("callers").threads(threads).max_running(threads);
        let builder = builder.max_jobs(callers);
        let calling = builder.handle();
        let make = Arc::clone(&log);
        let caller_pool = builder.worker(move || CallerHandler(Arc::clone(&make)));
        let builder =
            Pool::builder::<Worker>("workers").threads(workers).max_running(workers.div_ceil(2));
        let builder = builder.max_jobs(room);
        let working = builder.handle();
        let make = Arc::clone(&log);
        let worker_pool = builder.worker(move || WorkerHandler(Arc::clone(&make)));
        let running = Pipeline::new().pool(caller_pool).pool(worker_pool).start()?;
        let handles: Result<Vec<_>, _> = (0..callers).map(|_| calling.submit(())).collect();
        let handles = handles?;
        if let Some((pool, after)) = self.close {
            let late = Instant::now() + TIMEOUT;
            while log.made() < after && Instant::now() < late {
                thread::sleep(Duration::from_millis(1));
            }
            match pool {
                Closed::Callers => calling.close(),
                Closed::Workers => {
                    working.close();
                    // A few more calls suffice, because each now takes the edge `gone` at once.
                    log.stop_after(1000);
                }
            }
        }
        let lost = lost(handles).map_err(|Stuck| {
            let (calling, working) = (calling.stats(), working.stats());
            format!("a caller does not end: {calling:?}, {working:?}")
        })?;
        running.drain()?;
        if lost > 0 && !matches!(self.close, Some((Closed::Callers, _))) {
            return Err(format!("{lost} callers did not end").into());
        }
        ended("callers", calling.stats())?;
        let stats = working.stats();
        ended("workers", stats)?;
        if stats.offered != log.made() {
            return Err(format!("{} calls, and {} offers", log.made(), stats.offered).into());
        }
        let slots = |used: &std::sync::atomic::AtomicU32, jobs: usize| {
            let used = used.load(std::sync::atomic::Ordering::Relaxed);
            let limit = u32::try_from(jobs).unwrap_or(u32::MAX).saturating_add(FREED);
            if used > limit { Err(format!("slot {used} of {jobs} jobs")) } else { Ok(()) }
        };
        slots(&log.caller_slot, callers)?;
        slots(&log.worker_slot, room)?;
        let mut counts = log.check(matches!(self.close, Some((Closed::Workers, _))), lost)?;
        counts.rounds_cut = u64::from(self.close.is_some());
        Ok(counts)
    }
}

/// A caller has not ended in time.
struct Stuck;

/// Waits for all callers. Returns the number of those that have ended without a reply.
fn lost(handles: Vec<JobHandle<()>>) -> Result<u64, Stuck> {
    let mut lost = 0;
    for handle in handles {
        match handle.wait_for(TIMEOUT) {
            Ok(Some(())) => {}
            Ok(None) => lost += 1,
            Err(_) => return Err(Stuck),
        }
    }
    Ok(lost)
}

/// Checks that the counters of a pool add up, and that no job is left.
fn ended(pool: &str, stats: Stats) -> Result<(), String> {
    let Stats { offered, taken, refused, abandoned, waiting, .. } = stats;
    let adds_up = offered == taken + refused + abandoned && waiting == 0;
    // Each job that was taken has started and ended.
    if adds_up && taken == stats.accepted && stats.open == 0 {
        Ok(())
    } else {
        Err(format!("the counters of the {pool} do not add up: {stats:?}"))
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} calls with seed {}", self.calls, self.seed)?;
        match self.close {
            None => Ok(()),
            Some((pool, after)) => write!(f, ", {pool:?} closed after {after}"),
        }
    }
}
