use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::limits::Limits;
use crate::spec::Features;
use crate::{Cx, Drive, Input, Machine, Step, Wait, WaitSet};

/// The number of handler calls in a row without a byte in or out and without a message that count as an
/// endless loop.
pub(crate) const BUSY_LOOP_CALLS: usize = 1000;

/// A machine and the deadlines of its state, borrowed from a connection or a job.
pub(crate) struct MachineRunner<'a, M: Machine> {
    pub(crate) machine: &'a mut M,
    pub(crate) deadlines: &'a mut M::Deadlines,
}

/// The budget that is left in a turn of a connection or job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// Handler calls.
    pub(crate) calls: usize,
    /// Bytes to read or send.
    pub(crate) bytes: usize,
    /// Bytes of queued output at which no input and no message is taken.
    pub(crate) mark: usize,
    /// The next handler runs although the output is at the mark, because its state takes no input and no
    /// message.
    runs_at_mark: bool,
    /// The turn when bytes or a message last arrived or left.
    last_progress: TurnProgress,
}

/// A snapshot of a turn. Handlers have made progress if a later snapshot differs in the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TurnProgress {
    /// Handler calls that were left then.
    calls: usize,
    unread: usize,
    queued: usize,
}

/// The reason why the runner returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// The machine waits for one of these.
    Waiting(WaitSet),
    /// The machine waits until less output than this is queued.
    NeedsRoom(usize),
    /// The output is at the mark: some of it must leave before the next handler runs.
    AtMark,
    /// The connection has room in another pool and leaves.
    Leaving,
    /// The budget of the turn is used up.
    BudgetSpent,
    /// The machine is in an end state.
    Done,
    /// The next state takes the input of another one of the connection's two sockets, or of both.
    OtherSide,
    /// Handlers ran [`BUSY_LOOP_CALLS`] times or more without a byte in or out and without a message.
    BusyLoop,
    /// Deadlines passed twice while the output was at the mark, because the peer does not read.
    SendTimeout,
}

/// The sockets whose input a state takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The first one at most.
    First,
    /// The other one.
    Other,
    /// The other one beside another wait, which is for the first one or for both.
    Both,
}

/// The result of [`MachineRunner::run_once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunOnce {
    /// A handler ran, and the machine is in the same state.
    Stayed,
    /// The machine is in another state.
    Moved,
    Stopped(StopReason),
}

/// The result of [`MachineRunner::run_input_only`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InputOnlyRun {
    /// The events that the machine waits for; `None` if it has stopped for another reason.
    pub(crate) waits: Option<WaitSet>,
    /// The number of handlers that ran.
    pub(crate) calls: usize,
}

/// A machine in its start state, with the deadlines of this state.
pub(crate) struct Started<M: Machine> {
    pub(crate) machine: M,
    pub(crate) deadlines: M::Deadlines,
}

impl<M: Machine> Started<M> {
    pub(crate) fn new(seed: M::Seed, now: u64, settings: &M::Settings) -> Self {
        let machine = M::start(seed);
        let deadlines = M::Deadlines::started(now, |index| machine.timer(index, settings));
        Self { machine, deadlines }
    }
}

impl StopReason {
    /// Whether the machine waits for all of these.
    #[inline]
    pub(crate) fn waits_for(self, waits: WaitSet) -> bool {
        matches!(self, Self::Waiting(set) if set.contains(waits))
    }

    /// Whether an event, and not only a further turn, makes the machine run again.
    pub(crate) fn waits(self) -> bool {
        matches!(self, Self::Waiting(_) | Self::NeedsRoom(_) | Self::AtMark | Self::Leaving)
    }

    /// Whether the machine has a further turn, here or in another pool.
    pub(crate) fn goes_on(self) -> bool {
        !matches!(self, Self::Done | Self::BusyLoop | Self::SendTimeout)
    }
}

impl Budget {
    #[inline]
    pub(crate) fn new(calls: usize, bytes: usize, mark: usize) -> Self {
        let last_progress = TurnProgress { calls, unread: 0, queued: 0 };
        Self { calls, bytes, mark, runs_at_mark: false, last_progress }
    }

    /// Subtracts a handler call. Returns whether any is left.
    #[inline]
    pub(crate) fn spend_call(&mut self) -> bool {
        self.calls = self.calls.saturating_sub(1);
        self.calls > 0
    }

    #[inline]
    pub(crate) fn spend_bytes(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Records that bytes or a message arrived or left, so that the calls before count as no endless
    /// loop.
    #[inline]
    pub(crate) fn note_progress(&mut self, unread: usize, queued: usize) {
        self.last_progress = TurnProgress { calls: self.calls, unread, queued };
    }

    /// Lets one handler run although the output is at the mark.
    pub(crate) fn run_at_mark(&mut self) {
        self.runs_at_mark = true;
    }

    /// The reason to stop when no call is left.
    pub(crate) fn spent(&self, unread: usize, queued: usize, messages: usize) -> StopReason {
        let TurnProgress { calls, .. } = self.last_progress;
        let unchanged = TurnProgress { calls, unread, queued } == self.last_progress;
        if unchanged && messages == 0 && calls >= BUSY_LOOP_CALLS {
            StopReason::BusyLoop
        } else {
            StopReason::BudgetSpent
        }
    }
}

impl<M: Machine> MachineRunner<'_, M> {
    const HAS_TICKS: bool = M::SPEC.uses(Features::TICK);
    const HAS_BEGUN: bool = M::SPEC.uses(Features::BEGUN);
    const HAS_OTHER: bool = M::SPEC.uses(Features::OTHER);

    /// Whether the state takes input or messages, so that it must wait while the output is at the mark.
    /// All other states run then, too, such as the one that a deadline leads to, because they may have no
    /// deadline of their own.
    pub(crate) fn takes_in(&self) -> bool {
        self.has_wait(|wait| {
            matches!(
                wait,
                Wait::Read { .. } | Wait::ReadOther { .. } | Wait::Discard { .. } | Wait::Message
            )
        })
    }

    fn has_wait(&self, is_such: impl Fn(&Wait) -> bool) -> bool {
        M::SPEC.states[self.machine.state()].waits.iter().any(is_such)
    }

    /// The time at which the first timer of the state expires.
    #[inline]
    pub(crate) fn deadline(&self) -> u64 {
        self.deadlines.earliest()
    }

    /// Arms the timers of a state that was entered.
    #[inline]
    pub(crate) fn enter(&mut self, now: u64, diverted: bool, settings: &M::Settings) {
        let machine = &*self.machine;
        self.deadlines.enter(now, diverted, |index| machine.timer(index, settings));
    }

    /// Arms the timers again that count from the completion of a wait.
    #[inline]
    pub(crate) fn stay(&mut self, now: u64, settings: &M::Settings) {
        let machine = &*self.machine;
        self.deadlines.stayed(now, |index| machine.timer(index, settings));
    }

    /// Arms the timers that count from the end of one of two streams.
    pub(crate) fn half_closed(&mut self, now: u64, settings: &M::Settings) {
        let machine = &*self.machine;
        self.deadlines.half_closed(now, |index| machine.timer(index, settings));
    }

    /// The sockets whose input the state takes.
    #[inline]
    pub(crate) fn side(&self) -> Side {
        if !Self::HAS_OTHER {
            return Side::First;
        }
        let reads_other = |wait: &Wait| matches!(wait, Wait::ReadOther { .. });
        match M::SPEC.states[self.machine.state()].waits {
            [first, ..] if reads_other(first) => Side::Other,
            [_, beside @ ..] if beside.iter().any(reads_other) => Side::Both,
            _ => Side::First,
        }
    }

    /// Arms the timers that count from the first byte of an incomplete message, if the machine has any
    /// and there is such a message.
    #[inline]
    fn wait(&mut self, unread: usize, now: u64, settings: &M::Settings) {
        if Self::HAS_BEGUN && unread > 0 {
            let machine = &*self.machine;
            self.deadlines.begin(now, |index| machine.timer(index, settings));
        }
    }

    /// Whether a tick is due, which comes before messages and input.
    #[inline]
    pub(crate) fn is_tick_due(&self, now: u64, settings: &M::Settings) -> bool {
        let is_tick = |index| self.machine.timer(index, settings).is_tick();
        Self::HAS_TICKS && self.deadlines.expired(now).is_some_and(is_tick)
    }

    /// Whether the timer that has expired is a sleep or a tick, whose handler may run again and again.
    pub(crate) fn repeats(&self, now: u64, settings: &M::Settings) -> bool {
        let is_own = |index| !self.machine.timer(index, settings).is_budget();
        let sleeps = || self.has_wait(|wait| matches!(wait, Wait::Sleep { .. }));
        self.is_tick_due(now, settings)
            || (sleeps() && self.deadlines.expired(now).is_some_and(is_own))
    }

    /// The number of the edge that this timer leads to, if transitions are counted.
    #[cfg(feature = "transitions")]
    fn deadline_edge(&self, timer: usize, settings: &M::Settings) -> Option<usize> {
        let timer = self.machine.timer(timer, settings);
        M::SPEC.edge_of(self.machine.state(), &|trigger| timer.takes(trigger))
    }

    #[cfg(not(feature = "transitions"))]
    fn deadline_edge(&self, _: usize, _: &M::Settings) -> Option<usize> {
        let _ = self;
        None
    }

    /// Takes the edge of a timer that has expired. The next one can be taken only after more time has
    /// passed. Returns whether the machine has moved.
    ///
    /// A sleep or a tick begins anew if `output_full`, so that its handler does not write even more.
    #[cold]
    pub(crate) fn expire<H>(
        &mut self,
        handler: &mut H,
        now: u64,
        output_full: bool,
        cx: &mut Cx<'_, M::Message, M::Settings, M::Kind>,
    ) -> bool
    where
        M: Drive<H>,
    {
        let Some(timer) = self.deadlines.expired(now) else { return false };
        let settings = cx.settings();
        let repeats = self.repeats(now, settings);
        let again = output_full && repeats;
        if !again {
            cx.at_state(self.machine.state());
        }
        // The handler of a sleep or a tick has a verdict, which generated code counts.
        let edge = if repeats { None } else { self.deadline_edge(timer, settings) };
        if Self::HAS_OTHER {
            cx.begin_other_call();
        }
        let step = if again { Step::Stayed } else { self.machine.expire(timer, handler, cx) };
        if let Some(edge) = edge {
            cx.edge(edge);
        }
        cx.note_transition();
        // An edge that leads back to its own state does not enter it from another one.
        if let Step::Stayed | Step::Continued = step {
            self.deadlines.restart(timer, now, self.machine.timer(timer, settings));
            return false;
        }
        self.deadlines.end(timer);
        self.enter(now, step == Step::Diverted, settings);
        true
    }

    /// Runs handlers as long as they need nothing but the input, up to the call limit and the output
    /// mark. It is the common part of [`run`](Self::run), for the fast path, which connections with a history do
    /// not take.
    #[inline]
    pub(crate) fn run_input_only<H>(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message, M::Settings, M::Kind>,
        limits: &Limits,
    ) -> InputOnlyRun
    where
        M: Drive<H>,
    {
        let mut calls = 0;
        cx.at_state(self.machine.state());
        loop {
            cx.set_unread(input.unread().len());
            match self.machine.resume(handler, input, cx) {
                Step::Stayed => self.stay(cx.millis(), cx.settings()),
                Step::Continued | Step::OtherRead => {}
                step @ (Step::Moved | Step::Diverted) => {
                    self.enter(cx.millis(), step == Step::Diverted, cx.settings());
                    cx.at_state(self.machine.state());
                    input.restart();
                }
                Step::Waiting(waits) => {
                    self.wait(input.unread().len(), cx.millis(), cx.settings());
                    return InputOnlyRun { waits: Some(waits), calls };
                }
                Step::Leaving | Step::Done => {
                    return InputOnlyRun { waits: None, calls };
                }
            }
            calls += 1;
            if calls == limits.calls || cx.queued_bytes() >= limits.output {
                return InputOnlyRun { waits: None, calls };
            }
        }
    }

    /// Runs handlers until the machine waits for an event that has not occurred, or the budget is spent.
    ///
    /// The caller sends queued output when this returns [`StopReason::NeedsRoom`] or
    /// [`StopReason::AtMark`].
    #[inline]
    pub(crate) fn run<H>(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message, M::Settings, M::Kind>,
        budget: &mut Budget,
    ) -> StopReason
    where
        M: Drive<H>,
    {
        let side = self.side();
        loop {
            let runs_at_mark = std::mem::take(&mut budget.runs_at_mark);
            if cx.queued_bytes() >= budget.mark && !runs_at_mark {
                return StopReason::AtMark;
            }
            if Self::HAS_OTHER {
                cx.begin_other_call();
            }
            cx.at_state(self.machine.state());
            cx.set_unread(input.unread().len());
            let step = self.machine.resume(handler, input, cx);
            cx.note_transition();
            match step {
                Step::Stayed => self.stay(cx.millis(), cx.settings()),
                Step::Continued | Step::OtherRead => {}
                step @ (Step::Moved | Step::Diverted) => {
                    self.enter(cx.millis(), step == Step::Diverted, cx.settings());
                    input.restart();
                    if self.side() != side && budget.spend_call() {
                        return StopReason::OtherSide;
                    }
                }
                Step::Waiting(waits) if waits.below() > 0 => {
                    return StopReason::NeedsRoom(waits.below());
                }
                Step::Waiting(waits) => {
                    self.wait(input.unread().len(), cx.millis(), cx.settings());
                    return StopReason::Waiting(waits);
                }
                Step::Leaving => return StopReason::Leaving,
                Step::Done => return StopReason::Done,
            }
            if !budget.spend_call() {
                return budget.spent(input.unread().len(), cx.queued_bytes(), cx.messages_taken());
            }
        }
    }

    /// Runs one handler of a state that waits for both sockets: with `of_other` that of the read of the other
    /// one, whose input this is. The caller looks at the calls that are left.
    pub(crate) fn run_once<H>(
        &mut self,
        of_other: bool,
        handler: &mut H,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message, M::Settings, M::Kind>,
        budget: &mut Budget,
    ) -> RunOnce
    where
        M: Drive<H>,
    {
        cx.begin_other_call();
        cx.at_state(self.machine.state());
        cx.set_unread(input.unread().len());
        let step = if of_other {
            self.machine.resume_other(handler, input, cx)
        } else {
            self.machine.resume(handler, input, cx)
        };
        cx.note_transition();
        let (now, settings) = (cx.millis(), cx.settings());
        let ran = match step {
            Step::Stayed => {
                self.stay(now, settings);
                RunOnce::Stayed
            }
            Step::OtherRead => {
                let machine = &*self.machine;
                self.deadlines.other_read(now, |index| machine.timer(index, settings));
                RunOnce::Stayed
            }
            Step::Continued => RunOnce::Stayed,
            Step::Moved | Step::Diverted => {
                self.enter(now, step == Step::Diverted, settings);
                RunOnce::Moved
            }
            Step::Waiting(waits) => {
                if !of_other {
                    self.wait(input.unread().len(), now, settings);
                }
                return RunOnce::Stopped(StopReason::Waiting(waits));
            }
            Step::Leaving => return RunOnce::Stopped(StopReason::Leaving),
            Step::Done => return RunOnce::Stopped(StopReason::Done),
        };
        budget.calls = budget.calls.saturating_sub(1);
        ran
    }
}

// Its machines take longer to build than the checks of interleavings, which are built by themselves.
#[cfg(test)]
#[cfg(not(any(loom, shuttle)))]
mod tests;
