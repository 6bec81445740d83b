use std::io;

use crate::machine::deadlines::sealed::Times;
use crate::machine::limits::Limits;
use crate::net::non_blocking::Link;
use crate::net::transport::Transport;
use crate::{Cx, Drive, Input, Machine, Step, Wait};

/// So many handler calls in a row without a byte in or out or a message are an endless loop.
pub(crate) const BUSY_LOOP_CALLS: usize = 1000;

/// A machine, and when its state must be left: parts of a connection or a job.
pub(crate) struct MachineRunner<'a, M: Machine> {
    pub(crate) machine: &'a mut M,
    pub(crate) times: &'a mut M::Times,
}

/// What a connection may use up in one turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Handler calls that are left.
    pub(crate) calls: usize,
    /// Bytes to be read or sent that are left.
    pub(crate) bytes: usize,
    /// Bytes sent until now.
    pub(crate) sent: usize,
    /// Queued output from which on nothing that comes in is taken up.
    pub(crate) mark: usize,
}

impl Budget {
    #[inline]
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.sent += bytes;
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

/// Why a machine was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// It waits for input.
    Input,
    /// It waits for a message.
    Message,
    /// It waits for room in another pool, or is about to leave for it.
    HandOff,
    /// It waits for something else.
    Other,
    /// It had its share.
    BudgetSpent,
    /// It is done.
    End,
    /// It runs and runs, and nothing comes of it.
    BusyLoop,
    /// Its deadlines make it write, and the peer does not read.
    SendTimeout,
}

/// A machine in its start state, with the times of that.
pub(crate) fn started<M: Machine>(seed: M::Seed, now: u64) -> (M, M::Times) {
    let machine = M::start(seed);
    let times = M::Times::entered(now, machine.timing());
    (machine, times)
}

impl<M: Machine> MachineRunner<'_, M> {
    pub(crate) fn sleeps(&self) -> bool {
        matches!(self.wait(), Wait::Sleep { .. })
    }

    fn wait(&self) -> Wait {
        M::SPEC.states[self.machine.state()].wait
    }

    /// When the state must be left.
    #[inline]
    pub(crate) fn due(&self) -> u64 {
        self.times.due()
    }

    /// Arms the times of a state that was entered.
    #[inline]
    fn enter(&mut self, now: u64) {
        *self.times = M::Times::entered(now, self.machine.timing());
    }

    /// Arms them where the state's wait has completed, and it stays.
    #[inline]
    fn stay(&mut self, now: u64) {
        self.times.stayed(now, self.machine.timing());
    }

    /// Takes the edge of the time that has passed. Only time that passes again can take another
    /// one.
    ///
    /// A sleep whose connection cannot get rid of its output sleeps once more: what its handler
    /// would write could only pile up.
    #[cold]
    pub(crate) fn lapse<H>(
        &mut self,
        handler: &mut H,
        now: u64,
        sleep_on: bool,
        cx: &mut Cx<'_, M::Message, M::Kind>,
    ) where
        M: Drive<H>,
    {
        if sleep_on && self.sleeps() {
            self.enter(now);
            return;
        }
        let lapse = self.times.lapse(now, self.machine.timing());
        cx.at_state(self.machine.state());
        match self.machine.lapse(lapse, handler, cx) {
            // Whoever leads back to where it was has not entered it from another state.
            Step::Stayed => self.times.again(lapse, now, self.machine.timing()),
            _ => self.enter(now),
        }
    }

    /// Runs handlers as long as they need nothing but the input. Says whether that is what the machine
    /// waits for then, and how many handlers ran. It is what [`run`](MachineRunner::run) begins with, without
    /// what is seldom needed.
    #[inline]
    pub(crate) fn run_input_only<H>(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message, M::Kind>,
        bounds: &Limits,
    ) -> (bool, usize)
    where
        M: Drive<H>,
    {
        let mut calls = 0;
        cx.at_state(self.machine.state());
        loop {
            cx.at_input(input.rest().len());
            match self.machine.resume(handler, input, cx) {
                Step::Stayed => self.stay(cx.millis()),
                Step::Moved => {
                    self.enter(cx.millis());
                    cx.at_state(self.machine.state());
                    input.restart();
                }
                step => return (step == Step::Read, calls),
            }
            calls += 1;
            if calls == bounds.calls || cx.backlog() >= bounds.output {
                return (false, calls);
            }
        }
    }

    /// Runs handlers until the machine waits for something that is not here, or has used up its
    /// share.
    ///
    /// While as much output as the mark or more cannot leave, nothing that comes in is taken up. A
    /// state that waits for nothing, such as the one that a deadline leads to, runs all the same:
    /// it has no deadline of its own.
    #[inline]
    pub(crate) fn run<H>(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message, M::Kind>,
        link: &Link<'_, impl Transport>,
        now: u64,
        budget: &mut Budget,
    ) -> io::Result<StopReason>
    where
        M: Drive<H>,
    {
        let calls = budget.calls;
        let progress =
            |budget: &Budget, input: &Input<'_, M::Partial>, cx: &Cx<'_, M::Message, M::Kind>| {
                (budget.sent, input.rest().len(), cx.backlog(), cx.taken())
            };
        let before = progress(budget, input, cx);
        loop {
            if cx.backlog() >= budget.mark {
                budget.sent(link.flush(cx.output())?);
                let driver = matches!(self.wait(), Wait::Read { .. } | Wait::Message);
                if cx.backlog() >= budget.mark && driver {
                    return Ok(StopReason::Other);
                }
            }
            cx.at_state(self.machine.state());
            cx.at_input(input.rest().len());
            match self.machine.resume(handler, input, cx) {
                Step::Stayed => self.stay(now),
                Step::Moved => {
                    self.enter(now);
                    input.restart();
                }
                Step::Writable(below) => {
                    budget.sent(link.flush(cx.output())?);
                    if cx.backlog() >= below {
                        return Ok(StopReason::Other);
                    }
                    if budget.bytes > 0 {
                        continue;
                    }
                    return Ok(StopReason::BudgetSpent);
                }
                Step::Read => return Ok(StopReason::Input),
                Step::Message => return Ok(StopReason::Message),
                Step::HandOff => return Ok(StopReason::HandOff),
                Step::Call | Step::Sleep => return Ok(StopReason::Other),
                Step::End => return Ok(StopReason::End),
            }
            budget.calls -= 1;
            if budget.calls == 0 {
                let idle = before == progress(budget, input, cx);
                return Ok(if idle && calls >= BUSY_LOOP_CALLS {
                    StopReason::BusyLoop
                } else {
                    StopReason::BudgetSpent
                });
            }
        }
    }
}
