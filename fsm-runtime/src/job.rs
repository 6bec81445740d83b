use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::call::mailboxes::{Mailboxes, ReplySender};
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::limits::Limits;
use crate::machine::runner::{Budget, MachineRunner, StopReason};
use crate::net::readiness::Readiness;
use crate::net::send_buffer::SendBuffer;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, caught};
use crate::stats::LocalCounters;
use crate::{Cx, Drive, Ended, Input, JobMachine, Key, Machine, Peer, Spec};

pub(crate) mod handle;
pub(crate) mod one_step;
pub(crate) mod queue;
mod reply_cell;
pub(crate) mod submitter;

/// How long a thread waits before it tries once more to make its handler.
const AGAIN: Duration = Duration::from_millis(100);

/// A job: a machine, and where its reply goes.
pub(crate) struct JobTask<M: Machine, H> {
    machine: M,
    deadlines: M::Deadlines,
    to: Option<ReplySender>,
    /// It has had a turn.
    entered: bool,
    handler: PhantomData<fn(H)>,
}

/// What the jobs of one thread share: its handler, and what a connection's turns have too.
pub(crate) struct JobScratch<M: JobMachine, H> {
    handler: Option<H>,
    /// Makes another one when a job has panicked, and left nobody knows what in it.
    make: Option<Arc<Make<H>>>,
    pub(crate) mailboxes: Mailboxes<M::Message>,
    limits: Limits,
    pool_state: Arc<PoolState>,
    counters: LocalCounters,
    context: WorkerContext,
    /// Always empty: a handler's context has one.
    output: SendBuffer,
}

/// Makes the handler of a thread, or says why not.
pub(crate) type Make<H> = dyn Fn() -> Result<H, String> + Send + Sync;

impl<M: JobMachine, H> JobScratch<M, H> {
    pub(crate) fn new(
        handler: H,
        make: Option<Arc<Make<H>>>,
        mailboxes: Mailboxes<M::Message>,
        limits: Limits,
        pool_state: Arc<PoolState>,
        context: WorkerContext,
    ) -> Self {
        let (handler, output) = (Some(handler), SendBuffer::default());
        let counters = pool_state.counters.local();
        Self { handler, make, mailboxes, limits, pool_state, counters, context, output }
    }

    /// Makes another handler, for as long as it takes. Others take the jobs until then. Once the pool
    /// drains it tries no longer: this thread may be the only one, which must see to the end.
    fn remake_handler(&mut self) {
        if self.make.is_none() {
            return;
        }
        let WorkerContext { port, thread, turn, .. } = &self.context;
        let (port, thread, turn) = (Arc::clone(port), *thread, *turn);
        port.block(thread, turn, Blocked::Declared);
        let mut said = false;
        while let (Phase::Run, Err(error)) = (self.pool_state.phase(), self.try_make()) {
            if !std::mem::replace(&mut said, true) {
                let machine = M::SPEC.name;
                tracing::error!(machine, error, "a thread is without a handler; it tries on");
            }
            thread::sleep(AGAIN);
        }
        port.unblock(thread, turn, Blocked::Declared);
    }

    /// Makes a handler if there is none, or says why not.
    #[cold]
    fn try_make(&mut self) -> Result<(), String> {
        if self.handler.is_none() {
            let Some(make) = &self.make else { return Err("there is only one".to_owned()) };
            let handler = caught(|| make()).unwrap_or_else(|| Err("it panicked".to_owned()));
            self.handler = Some(handler?);
        }
        Ok(())
    }
}

impl<M: JobMachine, H> JobTask<M, H> {
    /// Whether it has a mailbox.
    pub(crate) const HAS_MAILBOX: bool = M::SPEC.has_mailbox();

    /// The user's code may run here, and panic. Most jobs have no time to keep at their start, and ask
    /// for none.
    pub(crate) fn new(job: M::Job, to: ReplySender, now: impl FnOnce() -> u64) -> Self {
        let machine = M::start(job);
        let deadlines = |now| M::Deadlines::entered(now, |index| machine.timer(index));
        let mut armed = deadlines(0);
        if armed.earliest() != u64::MAX {
            armed = deadlines(now());
        }
        Self { machine, deadlines: armed, to: Some(to), entered: false, handler: PhantomData }
    }
}

impl<M: JobMachine + Drive<H>, H> Task for JobTask<M, H> {
    type Scratch = JobScratch<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    fn turn(&mut self, key: Key, _: Readiness, scratch: &mut JobScratch<M, H>) -> TurnOutcome {
        if scratch.handler.is_none() && scratch.try_make().is_err() {
            // It has been said, and tried often.
            return TurnOutcome::Ended(Ended::Panicked);
        }
        let JobScratch { handler: Some(handler), mailboxes, limits, context, output, .. } = scratch
        else {
            return TurnOutcome::Ended(Ended::Panicked);
        };
        if Self::HAS_MAILBOX && !std::mem::replace(&mut self.entered, true) {
            mailboxes.open(key);
        }
        let mut reply: Option<M::Reply> = None;
        let now = context.now;
        let mut budget = Budget::new(limits.calls, 1, usize::MAX);
        let mut cx = Cx::new(output, &Peer::Memory, mailboxes, key, context).with_reply(&mut reply);
        let mut runner =
            MachineRunner { machine: &mut self.machine, deadlines: &mut self.deadlines };
        let mut input = Input::new(&[]);
        let reason = loop {
            let reason = runner.run(handler, &mut input, &mut cx, &mut budget);
            if runner.deadline() > now || reason == StopReason::Done {
                break reason;
            }
            runner.expire(handler, now, false, &mut cx);
            if !budget.spend_call() {
                break StopReason::BudgetSpent;
            }
        };
        match reason {
            StopReason::Done => {
                // Where nobody waits any more it is dropped here, which is the user's code.
                let (to, machine) = (self.to.take(), M::SPEC.name);
                if caught(|| to.zip(reply).map(|(to, reply)| to.send(reply))).is_none() {
                    tracing::error!(%key, machine, "a reply panicked while it was dropped");
                }
                TurnOutcome::Ended(Ended::Done)
            }
            StopReason::BusyLoop => TurnOutcome::Ended(Ended::BusyLoop),
            StopReason::BudgetSpent => TurnOutcome::Again,
            _ => TurnOutcome::Wait,
        }
    }

    fn due(&self) -> u64 {
        self.deadlines.earliest()
    }

    fn state(&self) -> usize {
        self.machine.state()
    }

    fn abort(&mut self) {}

    fn on_end(self, key: Key, why: Ended, scratch: &mut JobScratch<M, H>) {
        scratch.counters.ended(why);
        let closed = !Self::HAS_MAILBOX || caught(|| scratch.mailboxes.close(key)).is_some();
        // Most have replied, and many have nothing that is worth a drop.
        let drops = std::mem::needs_drop::<M>() || self.to.is_some();
        // Also where a message has panicked, for the job may do so as well.
        let dropped = !drops || caught(|| drop(self)).is_some();
        if !closed || !dropped {
            tracing::error!(%key, machine = M::SPEC.name, "a job panicked while it was dropped");
        }
        scratch.pool_state.released();
    }

    fn recover(&mut self, scratch: &mut JobScratch<M, H>) {
        let handler = scratch.handler.take();
        if caught(|| drop(handler)).is_none() {
            tracing::error!(machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
    }

    fn restore(scratch: &mut JobScratch<M, H>) {
        scratch.remake_handler();
    }

    fn context(scratch: &mut JobScratch<M, H>) -> &mut WorkerContext {
        &mut scratch.context
    }
}
