use std::marker::PhantomData;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::call::reply::{Caller, ReplySender};
use crate::lifecycle::pool_state::{Phase, PoolState};
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::environment::EnvironmentOf;
use crate::machine::limits::Limits;
use crate::machine::runner::{Budget, MachineRunner, StopReason};
use crate::machine::visible::Visible;
use crate::net::readiness::Readiness;
use crate::net::send_buffer::SendBuffer;
use crate::panics::caught;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext};
use crate::spec::Features;
use crate::stats::LocalCounters;
use crate::{Cx, Drive, Ended, Input, JobMachine, Key, Machine, Peer, Spec};

pub(crate) mod handle;
pub(crate) mod one_step;
pub(crate) mod queue;
mod reply_cell;
mod reply_message;
pub(crate) mod submitter;

/// The time between two attempts of a thread to make its handler.
const AGAIN: Duration = Duration::from_millis(100);

/// A job: a machine, and the receiver of its reply.
pub(crate) struct JobTask<M: Machine, H> {
    machine: M,
    deadlines: M::Deadlines,
    reply_to: Option<ReplySender>,
    /// The job has had a turn.
    entered: bool,
    handler: PhantomData<fn(H)>,
}

/// The state that all jobs of one thread share.
pub(crate) struct JobScratch<M: JobMachine, H> {
    /// `None` after a job has panicked, until there is a new one.
    handler: Option<H>,
    /// Makes a new handler after a job has panicked, because the old one may be in any state; `None` under
    /// test.
    make: Option<Arc<Make<H>>>,
    pub(crate) environment: EnvironmentOf<M>,
    limits: Limits,
    pool_state: Arc<PoolState>,
    counters: LocalCounters,
    context: WorkerContext,
    /// Always empty; the `Cx` of a handler must have one.
    output: SendBuffer,
}

/// A function that makes the handler of a thread, or returns the reason why it cannot.
pub(crate) type Make<H> = dyn Fn() -> Result<H, String> + Send + Sync;

/// The arguments of [`JobScratch::new`], which are the fields of the same names.
pub(crate) struct JobScratchSettings<M: JobMachine, H> {
    pub(crate) handler: H,
    pub(crate) make: Option<Arc<Make<H>>>,
    pub(crate) environment: EnvironmentOf<M>,
    pub(crate) limits: Limits,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) context: WorkerContext,
}

impl<M: JobMachine, H> JobScratch<M, H> {
    pub(crate) fn new(settings: JobScratchSettings<M, H>) -> Self {
        let JobScratchSettings { handler, make, environment, limits, pool_state, context } =
            settings;
        let (handler, output) = (Some(handler), SendBuffer::default());
        let counters = pool_state.counters.local();
        Self { handler, make, environment, limits, pool_state, counters, context, output }
    }

    /// Tries to make a new handler until that succeeds. Meanwhile other threads take the jobs. It stops
    /// trying when the pool drains, because this may be the only thread, and it must end the jobs.
    fn remake_handler(&mut self) {
        if self.make.is_none() {
            return;
        }
        let WorkerContext { port, thread, turn, .. } = &self.context;
        let (port, thread, turn) = (Arc::clone(port), *thread, *turn);
        port.block(thread, turn, Blocked::Declared);
        let mut logged = false;
        while let (Phase::Run, Err(error)) = (self.pool_state.phase(), self.try_make()) {
            if !std::mem::replace(&mut logged, true) {
                let machine = M::SPEC.name;
                crate::log::error!(machine, error, "a thread has no handler; it tries again");
            }
            thread::sleep(AGAIN);
        }
        port.unblock(thread, turn, Blocked::Declared);
    }

    /// Makes a handler if there is none, or returns the reason why it cannot.
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
    /// Whether the job has a mailbox.
    pub(crate) const HAS_MAILBOX: bool = M::SPEC.uses(Features::MAILBOX);

    /// Makes the task of a job. The start of the machine is the user's code, and may panic. `now` is called
    /// only if the start state has a timer, which most have not.
    pub(crate) fn new(
        job: M::Job,
        reply_to: ReplySender,
        settings: &M::Settings,
        now: impl FnOnce() -> u64,
    ) -> Self {
        let machine = M::start(job);
        let deadlines = |now| M::Deadlines::started(now, |index| machine.timer(index, settings));
        let mut armed = deadlines(0);
        if armed.earliest() != u64::MAX {
            armed = deadlines(now());
        }
        Self {
            machine,
            deadlines: armed,
            reply_to: Some(reply_to),
            entered: false,
            handler: PhantomData,
        }
    }
}

impl<M: JobMachine + Drive<H>, H: 'static> Visible<M> for JobTask<M, H> {
    type Handler = H;

    fn handler(&self) -> Option<&H> {
        // It is the thread's.
        None
    }

    fn machine(&self) -> &M {
        &self.machine
    }

    fn deadlines(&self) -> &M::Deadlines {
        &self.deadlines
    }

    fn peer(&self) -> Option<Peer> {
        None
    }

    fn unread(&self) -> usize {
        0
    }

    fn unsent(&self) -> usize {
        0
    }
}

impl<M: JobMachine + Drive<H>, H> Task for JobTask<M, H> {
    type Scratch = JobScratch<M, H>;
    const SPEC: &'static Spec = M::SPEC;

    fn turn(&mut self, key: Key, _: Readiness, scratch: &mut JobScratch<M, H>) -> TurnOutcome {
        if scratch.handler.is_none() && scratch.try_make().is_err() {
            // `remake_handler` has logged the error and retried.
            return TurnOutcome::Ended(Ended::Panicked);
        }
        let JobScratch { handler: Some(handler), environment, limits, context, output, .. } =
            scratch
        else {
            return TurnOutcome::Ended(Ended::Panicked);
        };
        if Self::HAS_MAILBOX && !std::mem::replace(&mut self.entered, true) {
            environment.mailboxes.open(key);
        }
        let mut reply: Option<M::Reply> = None;
        let now = context.now;
        let mut budget = Budget::new(limits.calls, 1, usize::MAX);
        let mut cx =
            Cx::new(output, &Peer::Memory, environment, key, context).with_reply(&mut reply);
        let mut runner =
            MachineRunner { machine: &mut self.machine, deadlines: &mut self.deadlines };
        let mut input = Input::new(&[]);
        if runner.is_tick_due(now, &environment.settings) {
            runner.expire(handler, now, false, &mut cx);
            budget.spend_call();
        }
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
                // If the caller has gone, the reply is dropped here, which runs the user's code.
                let (reply_to, machine) = (self.reply_to.take(), M::SPEC.name);
                let failed = M::has_failed(reply.as_ref());
                let send = || reply_to.zip(reply).map(|(reply_to, reply)| reply_to.send(reply));
                if caught(send).is_none() {
                    crate::log::error!(%key, machine, "a reply panicked while it was dropped");
                }
                TurnOutcome::Ended(if failed { Ended::Failed } else { Ended::Done })
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

    fn caller(&self) -> Option<Caller> {
        self.reply_to.as_ref()?.caller()
    }

    fn abort(&mut self) {}

    fn on_end(self, key: Key, why: Ended, scratch: &mut JobScratch<M, H>) {
        scratch.counters.ended(why);
        scratch.environment.forget(key);
        let closed =
            !Self::HAS_MAILBOX || caught(|| scratch.environment.mailboxes.close(key)).is_some();
        // Most jobs have replied, and many machines have nothing to drop.
        let drops = std::mem::needs_drop::<M>() || self.reply_to.is_some();
        // After a panic of a message this is caught, too, because the job may also panic.
        let dropped = !drops || caught(|| drop(self)).is_some();
        if !closed || !dropped {
            crate::log::error!(%key, machine = M::SPEC.name, "a job panicked while it was dropped");
        }
        scratch.pool_state.released();
    }

    fn recover(&mut self, scratch: &mut JobScratch<M, H>) {
        let handler = scratch.handler.take();
        if caught(|| drop(handler)).is_none() {
            crate::log::error!(machine = M::SPEC.name, "a handler panicked while it was dropped");
        }
    }

    fn restore(scratch: &mut JobScratch<M, H>) {
        scratch.remake_handler();
    }

    fn context(scratch: &mut JobScratch<M, H>) -> &mut WorkerContext {
        &mut scratch.context
    }
}
