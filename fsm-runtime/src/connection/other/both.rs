//! The turn of a machine in a state that reads the other socket beside another wait.

use std::io;

use crate::connection::turn::{NextAction, Turn};
use crate::machine::context::TakenEvent;
use crate::machine::input::DecodeProgress;
use crate::machine::runner::{RunOnce, StopReason};
use crate::net::other_end::RelayEnd;
use crate::net::stream::Stream;
use crate::net::transport::{ByteStream, PeerAddr};
use crate::spec::Features;
use crate::{Cx, Drive, Input, WaitSet};

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Runs the handlers of the two waits, one call each in turns, until neither can complete (W2). Returns
    /// [`StopReason::OtherSide`] when the machine is in another state.
    pub(in crate::connection) fn run_both(&mut self) -> io::Result<StopReason> {
        let mut taken = TakenEvent::Nothing;
        let mut waits: [Option<WaitSet>; 2] = [None; 2];
        loop {
            let is_gone = self.relay_is_gone();
            let of_other = if is_gone { waits[1].is_none() } else { self.runs_other_next() };
            let ran = match self.stops_for_room(of_other)? {
                Some(reason) => RunOnce::Stopped(reason),
                None => self.run_one(of_other, &mut taken),
            };
            match ran {
                RunOnce::Stayed => waits = [None; 2],
                RunOnce::Moved => return Ok(self.spent().unwrap_or(StopReason::OtherSide)),
                RunOnce::Stopped(StopReason::Waiting(set)) => {
                    // Bytes that the target has sent before it broke off are read first (W6).
                    let waits_for_room = !set.contains(WaitSet::READ_OTHER);
                    if is_gone && (waits_for_room || self.other_may_bring_more()) {
                        return Ok(StopReason::Waiting(set));
                    }
                    let goes_on = !is_gone && waits[usize::from(!of_other)].is_none();
                    let brings = goes_on && self.brings_more(of_other, set)?;
                    waits[usize::from(of_other)] = (!brings).then_some(set);
                }
                RunOnce::Stopped(reason) => return Ok(reason),
            }
            if let [Some(first), Some(other)] = waits {
                return Ok(StopReason::Waiting(first | other));
            }
            if let Some(reason) = self.spent() {
                return Ok(reason);
            }
        }
    }

    /// Whether the read of the other socket has its turn. Asked again, the other wait has.
    fn runs_other_next(&mut self) -> bool {
        let Some(other) = &mut self.other else { return false };
        other.end.runs_next ^= true;
        !other.end.runs_next
    }

    /// Whether the state passes bytes on to a target that has broken off.
    fn relay_is_gone(&self) -> bool {
        let relay = self.other.as_ref().and_then(|other| other.end.relay.as_ref());
        relay.is_some_and(|relay| matches!(relay.end, Some(RelayEnd::Gone)))
    }

    fn other_may_bring_more(&self) -> bool {
        self.other.as_ref().is_some_and(|other| other.end.state.is_readable())
    }

    /// The reason to stop when no call is left.
    fn spent(&self) -> Option<StopReason> {
        let (unread, queued) = (self.unread_of_both(), self.stream.send.len());
        (self.budget.calls == 0).then(|| self.budget.spent(unread, queued, 0))
    }

    fn unread_of_both(&self) -> usize {
        let other = self.other.as_ref().map_or(0, |other| other.recv.bytes().len());
        self.stream.recv.bytes().len() + other
    }

    /// The reason why a wait that takes input must stop: output is at the mark, on one side or the other (W5). A
    /// relay does not stop, and what it has queued by itself does not count.
    fn stops_for_room(&mut self, of_other: bool) -> io::Result<Option<StopReason>> {
        let Some(other) = &mut self.other else { return Ok(None) };
        let relayed = other.end.relay.as_ref().map(|relay| relay.max);
        if relayed.is_some() && !of_other {
            return Ok(None);
        }
        let mark = self.budget.mark;
        let other_mark = mark.saturating_add(relayed.unwrap_or(0));
        let mut is_full = false;
        if other.send.len() >= other_mark {
            let flushed = other.flush();
            self.budget.spend_bytes(flushed);
            is_full = other.send.len() >= other_mark;
        } else if self.stream.send.len() < mark {
            return Ok(None);
        }
        if self.stream.send.len() >= mark {
            self.flush()?;
            is_full |= self.stream.send.len() >= mark;
        }
        if is_full {
            return Ok(Some(StopReason::Waiting(WaitSet::writable(0))));
        }
        Ok((self.budget.bytes == 0).then_some(StopReason::BudgetSpent))
    }

    /// Runs one handler, with the input of one of the sockets.
    fn run_one(&mut self, of_other: bool, taken: &mut TakenEvent) -> RunOnce {
        let gone = self.relay_is_gone();
        let Stream { io, recv, send } = &mut self.stream;
        let Some(other) = &mut self.other else {
            return RunOnce::Stopped(StopReason::BudgetSpent);
        };
        // A target that has broken off takes the edge of the relay, and not that of the read.
        let other_ended = !gone && (other.end.state.has_ended() || !other.end.is_open());
        let (ends, other_recv) = other.lend(&*io.socket);
        let (recv, ended, progress) = if of_other {
            (other_recv, other_ended, &mut self.other_progress)
        } else {
            (&mut *recv, io.state.has_ended(), &mut self.progress)
        };
        recv.lend();
        let mut input = Input::resumed(recv.bytes(), std::mem::take(progress), ended);
        let mut cx = Cx::new(send, &ends, self.environment, self.key, self.context);
        cx.set_whole_input(recv.whole());
        cx.look_at::<M>(*io.state);
        cx.set_last_taken(*taken);
        let (handler, budget) = (&mut *self.handler, &mut self.budget);
        let ran = self.runner.run_once(of_other, handler, &mut input, &mut cx, budget);
        *taken = cx.last_taken();
        let (unread, messages) = (input.unread().len(), cx.messages_taken());
        if const { M::SPEC.uses(Features::JOBS) } {
            io.state.set_heard(cx.has_heard());
        }
        let wanted = input.wanted();
        *progress = input.into_progress();
        recv.leave(unread);
        recv.expect(wanted);
        if ran == RunOnce::Moved {
            self.progress = DecodeProgress::default();
            self.other_progress = DecodeProgress::default();
        }
        if messages > 0 {
            self.note_progress_of_both();
        }
        ran
    }

    fn note_progress_of_both(&mut self) {
        self.budget.note_progress(self.unread_of_both(), self.stream.send.len());
    }

    /// The next action of a machine that waits for both sockets. Each is read once, and they take turns to be the
    /// first, because the budget may be spent before the second (W2).
    pub(super) fn next_with_both(&mut self, reason: StopReason) -> io::Result<NextAction> {
        let mut runs = false;
        for _ in 0..2 {
            match self.read_one(reason)? {
                NextAction::Return => {}
                NextAction::Pause if !runs => return Ok(NextAction::Pause),
                _ => runs = true,
            }
        }
        if runs {
            self.note_progress_of_both();
            return Ok(NextAction::Run);
        }
        self.unless_broken()
    }

    /// Reads from one of the sockets, or passes bytes on. Called again, it does so for the other one.
    fn read_one(&mut self, reason: StopReason) -> io::Result<NextAction> {
        let Some(other) = &mut self.other else { return Ok(NextAction::Return) };
        other.end.reads_next ^= true;
        let of_other = !other.end.reads_next;
        self.read_side(of_other, reason)
    }

    /// Whether one of the two waits may complete after a read from its socket. The other wait has more to take, which
    /// comes after that, so that a full buffer on one side does not keep the other side from its turn.
    fn brings_more(&mut self, of_other: bool, set: WaitSet) -> io::Result<bool> {
        let next = self.read_side(of_other, StopReason::Waiting(set))?;
        if let NextAction::Run = next {
            self.note_progress_of_both();
        }
        Ok(matches!(next, NextAction::Run))
    }

    fn read_side(&mut self, of_other: bool, reason: StopReason) -> io::Result<NextAction> {
        if of_other {
            if !reason.waits_for(WaitSet::READ_OTHER) {
                return Ok(NextAction::Return);
            }
            let next = self.read_other()?;
            // Without more to read, the end of the relay is due.
            let is_over = self.relay_is_gone() && !self.other_may_bring_more();
            return Ok(if is_over { NextAction::Run } else { next });
        }
        if reason.waits_for(WaitSet::RELAY) {
            return self.relay();
        }
        if !reason.waits_for(WaitSet::READ) || !self.stream.io.state.is_readable() {
            return Ok(NextAction::Return);
        }
        if self.budget.bytes == 0 {
            return Ok(NextAction::Pause);
        }
        // Messages were left for the time after the read.
        let must_run = self.read()? || reason.waits_for(WaitSet::MESSAGE);
        Ok(if must_run { NextAction::Run } else { NextAction::Return })
    }
}
