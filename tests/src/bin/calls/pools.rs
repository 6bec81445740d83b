use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use fsm_runtime::prelude::*;

use crate::call_log::{CallLog, Kind, Outcome};

/// Makes one call after another until the round ends.
#[state_machine(start = Begin, job = (), reply = (), gone => Lost)]
pub(crate) enum Caller {
    #[run]
    #[to(Next)]
    Begin { nothing: () },
    #[run]
    #[to(Waiting | Shedding | Hurrying | Done)]
    Next,
    /// Waits for room.
    #[call(Worker, within = 60s => Late)]
    #[to(Next)]
    Waiting { number: u64 },
    #[call(Worker, within = 60s => Late, full => Refused)]
    #[to(Next)]
    Shedding { number: u64 },
    /// Has a short deadline for room and the reply together.
    #[call(Worker, within = 1ms => Late)]
    #[to(Next)]
    Hurrying { number: u64 },
    #[sleep(1ms)]
    #[to(Next)]
    Refused {
        #[carry]
        number: u64,
        #[job]
        job: u64,
    },
    #[run]
    #[to(Next)]
    Late {
        #[carry]
        number: u64,
    },
    #[sleep(1ms)]
    #[to(Next)]
    Lost {
        #[carry]
        number: u64,
    },
    #[end]
    Done,
}

pub(crate) struct CallerHandler(pub(crate) Arc<CallLog>);

impl CallerHandler {
    fn replied(&self, number: u64, reply: u64) {
        if number != reply {
            self.0.fail(format!("call {number} got the reply to {reply}"));
        }
        self.0.record(number, Outcome::Reply);
    }
}

impl caller::Handler for CallerHandler {
    fn begin(&mut self, (): &mut (), cx: &mut JobCx<'_>) -> caller::AfterBegin {
        self.0.caller_slot.fetch_max(cx.key().index(), Ordering::Relaxed);
        caller::AfterBegin::Next
    }

    fn next(&mut self, _: &mut JobCx<'_>) -> caller::AfterNext {
        let Some(number) = self.0.number() else {
            return caller::AfterNext::Done { reply: () };
        };
        match self.0.kind(number) {
            Kind::Waits => caller::AfterNext::Waiting { job: number, number },
            Kind::Hurries => caller::AfterNext::Hurrying { job: number, number },
            Kind::Sheds | Kind::Panics | Kind::Blocks | Kind::Sleeps => {
                caller::AfterNext::Shedding { job: number, number }
            }
        }
    }

    fn waiting(&mut self, number: &mut u64, reply: u64, _: &mut JobCx<'_>) -> caller::AfterWaiting {
        self.replied(*number, reply);
        caller::AfterWaiting::Next
    }

    fn shedding(
        &mut self,
        number: &mut u64,
        reply: u64,
        _: &mut JobCx<'_>,
    ) -> caller::AfterShedding {
        self.replied(*number, reply);
        caller::AfterShedding::Next
    }

    fn hurrying(
        &mut self,
        number: &mut u64,
        reply: u64,
        _: &mut JobCx<'_>,
    ) -> caller::AfterHurrying {
        self.replied(*number, reply);
        caller::AfterHurrying::Next
    }

    fn refused(
        &mut self,
        number: &mut u64,
        job: &mut u64,
        _: &mut JobCx<'_>,
    ) -> caller::AfterRefused {
        if number != job {
            self.0.fail(format!("call {number} got the job of {job} back"));
        }
        self.0.record(*number, Outcome::Full);
        caller::AfterRefused::Next
    }

    fn late(&mut self, number: &mut u64, _: &mut JobCx<'_>) -> caller::AfterLate {
        self.0.record(*number, Outcome::Late);
        caller::AfterLate::Next
    }

    fn lost(&mut self, number: &mut u64, _: &mut JobCx<'_>) -> caller::AfterLost {
        self.0.record(*number, Outcome::Gone);
        caller::AfterLost::Next
    }
}

/// Replies with the number in its job.
#[state_machine(start = Work, job = u64, reply = u64)]
pub(crate) enum Worker {
    #[run]
    #[to(Sleeping | Blocking | Done)]
    Work { number: u64 },
    #[sleep(2ms)]
    #[to(Done)]
    Sleeping {
        #[carry]
        number: u64,
    },
    #[run(blocking)]
    #[to(Done)]
    Blocking {
        #[carry]
        number: u64,
    },
    #[end]
    Done,
}

pub(crate) struct WorkerHandler(pub(crate) Arc<CallLog>);

impl worker::Handler for WorkerHandler {
    fn work(&mut self, number: &mut u64, cx: &mut JobCx<'_>) -> worker::AfterWork {
        self.0.worker_slot.fetch_max(cx.key().index(), Ordering::Relaxed);
        self.0.runs(*number);
        match self.0.kind(*number) {
            Kind::Waits | Kind::Sheds => worker::AfterWork::Done { reply: *number },
            Kind::Hurries => worker::AfterWork::Sleeping,
            Kind::Blocks => worker::AfterWork::Blocking,
            Kind::Sleeps => {
                thread::sleep(Duration::from_millis(2));
                worker::AfterWork::Done { reply: *number }
            }
            // `resume_unwind` prints no message.
            Kind::Panics => resume_unwind(Box::new("a job that panics")),
        }
    }

    fn sleeping(&mut self, number: &mut u64, _: &mut JobCx<'_>) -> worker::AfterSleeping {
        worker::AfterSleeping::Done { reply: *number }
    }

    fn blocking(&mut self, number: &mut u64, _: &mut JobCx<'_>) -> worker::AfterBlocking {
        thread::yield_now();
        worker::AfterBlocking::Done { reply: *number }
    }
}
