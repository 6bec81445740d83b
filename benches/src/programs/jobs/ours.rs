use std::time::Duration;

use fsm_runtime::prelude::*;

use super::cost::{Cost, Stopwatch};
use crate::error::Error;

/// Makes a chain of calls, and replies with the last number.
#[state_machine(start = Begin, job = u64, reply = u64, gone => Lost)]
enum Caller {
    #[run]
    #[to(Calling | Done)]
    Begin { left: u64 },
    #[call(Worker, within = 60s => Lost)]
    #[to(Calling | Done)]
    Calling { left: u64 },
    /// Replies with a number that no chain has, because a call had no reply.
    #[run]
    #[to(Done)]
    Lost,
    #[end]
    Done,
}

#[state_machine(start = Work, job = u64, reply = u64)]
enum Worker {
    #[run]
    #[to(Done)]
    Work { number: u64 },
    #[end]
    Done,
}

struct Calls;

impl caller::Handler for Calls {
    fn begin(&mut self, left: &mut u64, _: &mut JobCx<'_>) -> caller::AfterBegin {
        match *left {
            0 => caller::AfterBegin::Done { reply: 0 },
            left => caller::AfterBegin::Calling { job: 0, left },
        }
    }

    fn calling(&mut self, left: &mut u64, reply: u64, _: &mut JobCx<'_>) -> caller::AfterCalling {
        *left -= 1;
        match *left {
            0 => caller::AfterCalling::Done { reply },
            _ => caller::AfterCalling::Calling { job: reply },
        }
    }

    fn lost(&mut self, _: &mut JobCx<'_>) -> caller::AfterLost {
        caller::AfterLost::Done { reply: u64::MAX }
    }
}

struct Works;

impl worker::Handler for Works {
    fn work(&mut self, number: &mut u64, _: &mut JobCx<'_>) -> worker::AfterWork {
        worker::AfterWork::Done { reply: *number + 1 }
    }
}

/// The time limit for a submission.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs two pools of one thread each.
pub(super) fn run(chain: u64, batch: u64) -> Result<Cost, Error> {
    let capacity = usize::try_from(batch).unwrap_or(usize::MAX);
    let builder = Pool::builder::<Caller>("callers").max_jobs(capacity);
    let callers = builder.handle();
    let calling = builder.worker(|| Calls);
    let working = Pool::builder::<Worker>("workers").max_jobs(capacity).worker(|| Works);
    let pools = Pipeline::new().pool(calling).pool(working);
    let running = pools.start()?;
    let run_chains = |chain: u64| -> Result<(), Error> {
        // A caller frees its place shortly after its reply, so a submission may have to wait.
        let submitted = (0..batch).map(|_| callers.submit_within(chain, TIMEOUT));
        let tickets =
            submitted.map(|ticket| ticket.map_err(|error| Error::failed(error.to_string())));
        for ticket in tickets.collect::<Result<Vec<_>, _>>()? {
            if ticket.wait() != Some(chain) {
                return Err(Error::failed("a caller lost its job"));
            }
        }
        Ok(())
    };
    // The first jobs allocate slots and buffers.
    run_chains(1)?;
    let stopwatch = Stopwatch::start();
    run_chains(chain)?;
    let cost = stopwatch.stop(chain * batch);
    running.drain()?;
    Ok(cost)
}
