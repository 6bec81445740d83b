use std::io;

use crate::link::Link;
use crate::transport::Transport;
use crate::{Cx, Drive, Input, Lapse, Step, Timing, Wait};

/// A machine with its handler, and when its state must be left.
pub(crate) struct Actor<M, H> {
    machine: M,
    handler: H,
    /// When the state's `within` and `idle` pass, in milliseconds since the port's start.
    within: u64,
    idle: u64,
}

/// Why a machine was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// It waits for input.
    Input,
    /// It waits for something else.
    Other,
    /// It had its share of handler calls.
    Share,
    /// It is done.
    End,
}

impl<M: Drive<H>, H> Actor<M, H> {
    pub(crate) fn new(handler: H, now: u64) -> Self {
        let mut actor =
            Self { machine: M::start(), handler, within: Timing::NEVER, idle: Timing::NEVER };
        actor.enter(now);
        actor
    }

    #[inline]
    pub(crate) fn state(&self) -> usize {
        self.machine.state()
    }

    /// When the state must be left.
    #[inline]
    pub(crate) fn due(&self) -> u64 {
        self.within.min(self.idle)
    }

    /// Bounds the time that the machine is still kept.
    pub(crate) fn expire_at(&mut self, at: u64) {
        self.within = at;
        self.idle = Timing::NEVER;
    }

    /// Arms the times of a state that was entered.
    #[inline]
    fn enter(&mut self, now: u64) {
        let timing = self.machine.timing();
        self.within = now.saturating_add(timing.within);
        self.idle = now.saturating_add(timing.idle);
    }

    /// Takes the edge of the time that has passed. Only time that passes again can take another one.
    #[cold]
    pub(crate) fn lapse(&mut self, now: u64, cx: &mut Cx<'_, M::Message>) {
        let lapse = if self.within <= now { Lapse::Within } else { Lapse::Idle };
        self.machine.lapse(lapse, &mut self.handler, cx);
        self.enter(now);
    }

    /// Runs handlers until the machine waits for something that is not here, at most `calls` of them.
    ///
    /// While `mark` bytes of output or more cannot leave, nothing that comes in is taken up. A state that waits for
    /// nothing, such as the one that a deadline leads to, runs all the same: it has no deadline of its own.
    #[inline]
    pub(crate) fn run(
        &mut self,
        input: &mut Input<'_, M::Partial>,
        cx: &mut Cx<'_, M::Message>,
        link: &Link<impl Transport>,
        now: u64,
        mark: usize,
        calls: &mut usize,
    ) -> io::Result<Pause> {
        loop {
            if cx.queued() >= mark {
                link.flush(cx.output())?;
                let wait = M::SPEC.states[self.machine.state()].wait;
                if cx.queued() >= mark && matches!(wait, Wait::Read { .. } | Wait::Message) {
                    return Ok(Pause::Other);
                }
            }
            match self.machine.resume(&mut self.handler, input, cx) {
                Step::Stayed => self.idle = now.saturating_add(self.machine.timing().idle),
                Step::Moved => {
                    self.enter(now);
                    input.restart();
                }
                Step::Drain(below) => {
                    link.flush(cx.output())?;
                    if cx.queued() >= below {
                        return Ok(Pause::Other);
                    }
                    continue;
                }
                Step::Read => return Ok(Pause::Input),
                Step::Sleep | Step::Wait => return Ok(Pause::Other),
                Step::End => return Ok(Pause::End),
            }
            *calls -= 1;
            if *calls == 0 {
                return Ok(Pause::Share);
            }
        }
    }
}
