use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fsm_runtime::Stats;
use fsm_runtime::prelude::*;

use crate::Options;
use crate::books::{Books, Counts};
use crate::pools::{Caller, Calls, Worker, Works};
use crate::random::Random;

/// How long anything may take that should take no time.
const PATIENCE: Duration = Duration::from_secs(120);
/// More slots than jobs: those that were freed wait for the end of a batch.
const FREED: u32 = 1024 + 64;

/// Two pools, and what is done to them.
pub(crate) struct Round {
    options: Options,
    calls: u64,
    seed: u64,
    /// The pool that is closed after so many calls.
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
        let books = Arc::new(Books::new(self.calls, self.seed));
        let builder = Pool::builder::<Caller>("callers").threads(threads).max_running(threads);
        let builder = builder.max_jobs(callers);
        let calling = builder.handle();
        let make = Arc::clone(&books);
        let caller_pool = builder.worker(move || Calls(Arc::clone(&make)));
        let builder =
            Pool::builder::<Worker>("workers").threads(workers).max_running(workers.div_ceil(2));
        let builder = builder.max_jobs(room);
        let working = builder.handle();
        let make = Arc::clone(&books);
        let worker_pool = builder.worker(move || Works(Arc::clone(&make)));
        let running = Pipeline::new().pool(caller_pool).pool(worker_pool).start()?;
        let tickets: Result<Vec<_>, _> = (0..callers).map(|_| calling.submit(())).collect();
        let tickets = tickets?;
        if let Some((pool, after)) = self.close {
            let late = Instant::now() + PATIENCE;
            while books.made() < after && Instant::now() < late {
                thread::sleep(Duration::from_millis(1));
            }
            match pool {
                Closed::Callers => calling.close(),
                Closed::Workers => {
                    working.close();
                    // What is called now is gone at once, so these suffice.
                    books.stop_after(1000);
                }
            }
        }
        let mut lost = 0;
        for ticket in tickets {
            match ticket.wait_for(PATIENCE) {
                Ok(Some(())) => {}
                Ok(None) => lost += 1,
                Err(_) => {
                    let (calling, working) = (calling.stats(), working.stats());
                    return Err(format!("it hangs: {calling:?}, {working:?}").into());
                }
            }
        }
        running.drain()?;
        if lost > 0 && !matches!(self.close, Some((Closed::Callers, _))) {
            return Err(format!("{lost} callers had no end").into());
        }
        ended("callers", calling.stats())?;
        let stats = working.stats();
        ended("workers", stats)?;
        if stats.offered != books.made() {
            return Err(format!("{} calls, and {} offers", books.made(), stats.offered).into());
        }
        let slots = |used: &std::sync::atomic::AtomicU32, jobs: usize| {
            let used = used.load(std::sync::atomic::Ordering::Relaxed);
            let most = u32::try_from(jobs).unwrap_or(u32::MAX).saturating_add(FREED);
            if used > most { Err(format!("slot {used} of {jobs} jobs")) } else { Ok(()) }
        };
        slots(&books.caller_slot, callers)?;
        slots(&books.worker_slot, room)?;
        let mut counts = books.audit(matches!(self.close, Some((Closed::Workers, _))), lost)?;
        counts.rounds_cut = u64::from(self.close.is_some());
        Ok(counts)
    }
}

/// Whether the books of a pool balance, and nothing is left.
fn ended(pool: &str, stats: Stats) -> Result<(), String> {
    let Stats { offered, taken, refused, abandoned, waiting, .. } = stats;
    let balance = offered == taken + refused + abandoned && waiting == 0;
    // All that was taken was taken up, and came to an end.
    if balance && taken == stats.accepted && stats.open == 0 {
        Ok(())
    } else {
        Err(format!("the books of the {pool} do not balance: {stats:?}"))
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
