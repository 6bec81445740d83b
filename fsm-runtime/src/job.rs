use std::cell::Cell;
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::call::mailboxes::{Mailboxes, ReplySender};
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::machine::deadlines::sealed::Times;
use crate::machine::limits::Limits;
use crate::machine::runner::{Budget, MachineRunner, StopReason};
use crate::net::non_blocking::Link;
use crate::net::readiness::Readiness;
use crate::net::send_buffer::SendBuffer;
use crate::net::transport::Transport;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, caught};
use crate::stats::LocalCounters;
use crate::{Cx, Drive, Ended, Input, JobMachine, Key, Machine, Peer, Spec, Timing};

pub(crate) mod handle;
pub(crate) mod one_step;
pub(crate) mod queue;
pub(crate) mod submitter;

/// How long a thread waits before it tries once more to make its handler.
const AGAIN: Duration = Duration::from_millis(100);

/// A job: a machine, and where its reply goes.
pub(crate) struct JobTask<M: Machine, H> {
    machine: M,
    times: M::Times,
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
    bounds: Limits,
    pool_state: Arc<PoolState>,
    counters: LocalCounters,
    context: WorkerContext,
    /// Nothing is read or written: these are what a turn asks for all the same.
    ready: Cell<Readiness>,
    output: SendBuffer,
}

/// Makes the handler of a thread, or says why not.
pub(crate) type Make<H> = dyn Fn() -> Result<H, String> + Send + Sync;

impl<M: JobMachine, H> JobScratch<M, H> {
    pub(crate) fn new(
        handler: H,
        make: Option<Arc<Make<H>>>,
        mailboxes: Mailboxes<M::Message>,
        bounds: Limits,
        pool_state: Arc<PoolState>,
        context: WorkerContext,
    ) -> Self {
        let (ready, output) = (Cell::new(Readiness::NONE), SendBuffer::default());
        let (handler, counters) = (Some(handler), pool_state.counters.local());
        Self { handler, make, mailboxes, bounds, pool_state, counters, context, ready, output }
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
    pub(crate) const MAIL: bool = M::SPEC.has_mailbox();

    /// The user's code may run here, and panic. Most jobs have no time to keep at their start, and ask
    /// for none.
    pub(crate) fn new(job: M::Job, to: ReplySender, now: impl FnOnce() -> u64) -> Self {
        let machine = M::start(job);
        let timing = machine.timing();
        let keeps_time = timing.within.min(timing.idle) != Timing::NEVER;
        let times = M::Times::entered(if keeps_time { now() } else { 0 }, timing);
        Self { machine, times, to: Some(to), entered: false, handler: PhantomData }
    }
}

impl<M: JobMachine + Drive<H>, H> Task for JobTask<M, H> {
    type Scratch = JobScratch<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    fn turn(&mut self, key: Key, _: Readiness, scratch: &mut JobScratch<M, H>) -> TurnOutcome {
        if scratch.handler.is_none() && scratch.try_make().is_err() {
            // It has been said, and tried often.
            return TurnOutcome::Gone(Ended::Panicked);
        }
        let JobScratch {
            handler: Some(handler), mailboxes, bounds, context, ready, output, ..
        } = scratch
        else {
            return TurnOutcome::Gone(Ended::Panicked);
        };
        if Self::MAIL && !std::mem::replace(&mut self.entered, true) {
            mailboxes.open(key);
        }
        let mut reply: Option<M::Reply> = None;
        let now = context.now;
        let mut budget = Budget { calls: bounds.calls, bytes: 1, sent: 0, mark: usize::MAX };
        let link = Link { socket: &Nothing, ready };
        let mut cx = Cx::new(output, link.socket, mailboxes, key, context).of_job(&mut reply);
        let mut runner = MachineRunner { machine: &mut self.machine, times: &mut self.times };
        let mut input = Input::new(&[]);
        let reason = loop {
            let Ok(reason) = runner.run(handler, &mut input, &mut cx, &link, now, &mut budget)
            else {
                break StopReason::BusyLoop;
            };
            if runner.due() > now || reason == StopReason::End {
                break reason;
            }
            runner.lapse(handler, now, false, &mut cx);
            budget.calls = budget.calls.saturating_sub(1);
            if budget.calls == 0 {
                break StopReason::BudgetSpent;
            }
        };
        match reason {
            StopReason::End => {
                // Where nobody waits any more it is dropped here, which is the user's code.
                let (to, machine) = (self.to.take(), M::SPEC.name);
                if caught(|| to.zip(reply).map(|(to, reply)| to.send(reply))).is_none() {
                    tracing::error!(%key, machine, "a reply panicked while it was dropped");
                }
                TurnOutcome::Gone(Ended::Done)
            }
            StopReason::BusyLoop => TurnOutcome::Gone(Ended::BusyLoop),
            StopReason::BudgetSpent => TurnOutcome::Again,
            _ => TurnOutcome::Wait,
        }
    }

    fn due(&self) -> u64 {
        self.times.due()
    }

    fn state(&self) -> usize {
        self.machine.state()
    }

    fn cut_off(&self) {}

    fn over(self, key: Key, why: Ended, scratch: &mut JobScratch<M, H>) {
        scratch.counters.ended(why);
        let closed = !Self::MAIL || caught(|| scratch.mailboxes.close(key)).is_some();
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

/// The socket that a job does not have.
#[derive(Debug)]
struct Nothing;

impl Transport for Nothing {
    fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    fn shutdown(&self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&self) {}

    fn peer(&self) -> io::Result<Peer> {
        Ok(Peer::Memory)
    }
}
