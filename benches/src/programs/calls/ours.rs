use std::time::Duration;

use fsm_runtime::prelude::*;

use super::{Cost, Watch};
use crate::Error;

/// Calls one after another, and replies with the last number.
#[state_machine(start = Begin, job = u64, reply = u64, gone => Lost)]
enum Caller {
    #[run]
    #[to(Calling | Done)]
    Begin { left: u64 },
    #[call(Worker, within = 60s => Lost)]
    #[to(Calling | Done)]
    Calling { left: u64 },
    /// It has no reply, and says so with a number that nobody waits for.
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

/// How long anything may take that should take no time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two pools of one thread each.
pub(super) fn run(each: u64, batch: u64) -> Result<Cost, Error> {
    let room = usize::try_from(batch).unwrap_or(usize::MAX);
    let builder = Pool::builder::<Caller>("callers").max_jobs(room);
    let callers = builder.handle();
    let calling = builder.worker(|| Calls);
    let working = Pool::builder::<Worker>("workers").max_jobs(room).worker(|| Works);
    let pools = Pipeline::new().pool(calling).pool(working);
    let running = pools.start()?;
    let give = |each: u64| -> Result<(), Error> {
        // A caller that has replied has room for the next one only when it is put away.
        let given = (0..batch).map(|_| callers.submit_within(each, PATIENCE));
        let tickets = given.map(|given| given.map_err(|error| Error::failed(error.to_string())));
        for ticket in tickets.collect::<Result<Vec<_>, _>>()? {
            if ticket.wait() != Some(each) {
                return Err(Error::failed("a caller lost its job"));
            }
        }
        Ok(())
    };
    // Once, so that what is made at first is there.
    give(1)?;
    let watch = Watch::start();
    give(each)?;
    let cost = watch.stop(each * batch);
    running.drain()?;
    Ok(cost)
}
