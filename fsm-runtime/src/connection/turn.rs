use std::io;
use std::ops::Range;

use crate::connection::other::OtherSide;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::{ConnectionTask, ResumedIo};
use crate::machine::environment::EnvironmentOf;
use crate::machine::input::DecodeProgress;
use crate::machine::limits::Limits;
use crate::machine::other::sealed::OtherEndSlot;
use crate::machine::runner::{Budget, MachineRunner, Side, StopReason};
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::stream::Stream;
#[cfg(feature = "tls")]
use crate::net::tls::TlsSettings;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::scheduler::task::WorkerContext;
use crate::spec::Features;
use crate::{Cx, Drive, Input, Key, Machine, WaitSet};

/// The state in which a full turn begins: a new turn, or one that the fast path has begun.
pub(super) struct TurnStart<P> {
    /// The range of the thread's buffer that is unread.
    pub(super) unread: Range<usize>,
    /// The size of the incomplete message there; 0 if it is not known.
    pub(super) wanted: usize,
    pub(super) progress: DecodeProgress<P>,
    pub(super) budget: Budget,
    /// The reason why the machine has stopped; `None` if it must run.
    pub(super) stopped: Option<StopReason>,
    /// The turn has read.
    pub(super) has_read: bool,
}

impl<P: Default> TurnStart<P> {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            unread: 0..0,
            wanted: 0,
            progress: DecodeProgress::default(),
            budget: Budget::new(limits.calls, limits.bytes, limits.output),
            stopped: None,
            has_read: false,
        }
    }
}

/// A turn of a connection: the stream, the machine and the budget that it runs on.
pub(super) struct Turn<'a, M: Machine, H, S> {
    pub(super) stream: Stream<'a, S>,
    pub(super) runner: MachineRunner<'a, M>,
    pub(super) handler: &'a mut H,
    pub(super) progress: DecodeProgress<M::Partial>,
    pub(super) key: Key,
    pub(super) environment: &'a EnvironmentOf<M>,
    pub(super) context: &'a WorkerContext,
    pub(super) budget: Budget,
    stopped: Option<StopReason>,
    pub(super) has_read: bool,
    /// Bytes that were sent.
    sent: usize,
    /// A deadline has passed since there was less output than the mark.
    expired_while_full: bool,
    /// The other socket, in a machine that has one.
    pub(super) other: Option<OtherSide<'a>>,
    /// The progress on its input, in a state that waits for both sockets.
    pub(super) other_progress: DecodeProgress<M::Partial>,
    /// The settings with which a `#[tls]` state begins TLS.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<&'a TlsSettings>,
}

/// The next action of a turn whose machine has stopped.
pub(super) enum NextAction {
    /// The turn is over.
    Return,
    Read,
    Run,
    /// The turn is over, because its budget is used up.
    Pause,
}

/// The state that a turn leaves for the next one.
pub(super) struct TurnEnd<P> {
    /// The reason why the machine stopped, or an error of the socket.
    pub(super) reason: io::Result<StopReason>,
    /// Unread input, if the connection goes on.
    pub(super) input: Vec<u8>,
    pub(super) progress: DecodeProgress<P>,
    /// The progress on the unread input of the other socket, in a state that waits for both.
    pub(super) other_progress: Option<Box<DecodeProgress<P>>>,
    pub(super) sent: usize,
    pub(super) expired_while_full: bool,
}

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Lends the connection and the thread's buffers to a turn; `None` if it has no handler.
    pub(super) fn begin_turn<'a>(
        &'a mut self,
        key: Key,
        scratch: &'a mut ConnectionScratch<M, H>,
        start: TurnStart<M::Partial>,
        resumed: ResumedIo<M>,
    ) -> Option<Turn<'a, M, H, S>> {
        let Self { socket, state, machine, deadlines, handler, other, .. } = self;
        let TurnStart { unread, wanted, mut progress, mut budget, stopped, has_read } = start;
        let mut recv = RecvBuffer::new(&mut scratch.buffer);
        if has_read {
            recv.resume_at(unread);
            recv.expect(wanted);
        } else {
            recv.resume(resumed.input);
            progress = resumed.progress;
        }
        let send = &mut scratch.output;
        budget.note_progress(recv.bytes().len(), send.len());
        Some(Turn {
            stream: Stream { io: ReadyIo { socket, state }, recv, send },
            runner: MachineRunner { machine, deadlines },
            handler: handler.as_mut()?,
            progress,
            key,
            environment: &scratch.environment,
            context: &scratch.context,
            budget,
            stopped,
            has_read,
            sent: 0,
            expired_while_full: resumed.expired_while_full,
            #[cfg(feature = "tls")]
            tls: scratch.tls.as_ref(),
            other: other
                .get()
                .map(|end| OtherSide::new(end, &mut scratch.other, scratch.registry.as_deref())),
            other_progress: resumed.other_progress.map(|progress| *progress).unwrap_or_default(),
        })
    }
}

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Runs the turn, and sends its output.
    pub(super) fn run_to_end(mut self) -> TurnEnd<M::Partial> {
        let reason = self.run().and_then(|reason| {
            self.flush()?;
            Ok(reason)
        });
        let goes_on = reason.as_ref().is_ok_and(|reason| reason.goes_on());
        let input = if goes_on { self.stream.recv.keep() } else { Vec::new() };
        let keeps_progress = goes_on && self.runner.side() == Side::Both;
        let Self { progress, sent, expired_while_full, other, other_progress, .. } = self;
        let mut kept = None;
        if let Some(mut other) = other {
            other.flush();
            if keeps_progress && !other.recv.bytes().is_empty() {
                kept = Some(Box::new(other_progress));
            }
            other.keep();
        }
        TurnEnd { reason, input, progress, other_progress: kept, sent, expired_while_full }
    }

    /// Runs the machine, reads for it, and takes the edges of timers that have expired.
    fn run(&mut self) -> io::Result<StopReason> {
        self.stream.io.socket.drive(self.stream.io.state)?;
        if let Some(other) = &mut self.other {
            other.drive();
        }
        if self.stopped.is_none()
            && self.runner.is_tick_due(self.context.now, &self.environment.settings)
        {
            if let Some(reason) = self.expire() {
                return Ok(reason);
            }
        }
        loop {
            if const { M::SPEC.uses(Features::DATAGRAMS) && M::SPEC.uses(Features::JOBS) } {
                self.drop_unasked()?;
            }
            let reason = match self.stopped.take() {
                Some(reason) => reason,
                None => self.run_machine()?,
            };
            let readable = reason.waits_for(WaitSet::READ) && self.stream.io.state.is_readable();
            let readable = readable || self.other_is_readable(reason);
            // Input that arrived before a deadline is handled before the deadline's edge. But one read
            // is enough, so that a peer that never stops sending cannot delay the edge.
            if self.is_overdue() && (self.has_read || !readable) && reason != StopReason::Done {
                if let Some(reason) = self.expire() {
                    return Ok(reason);
                }
                continue;
            }
            let next = match self.next_with_other(reason)? {
                Some(next) => next,
                None => self.next_action(reason, readable)?,
            };
            match next {
                // Both sides were tried, and a deadline may have passed while one of them has no room.
                NextAction::Return if self.has_read && self.is_overdue() => {}
                NextAction::Return => return Ok(reason),
                NextAction::Run => {}
                NextAction::Pause => return Ok(StopReason::BudgetSpent),
                NextAction::Read if readable && self.budget.bytes == 0 => {
                    return Ok(StopReason::BudgetSpent);
                }
                // Datagrams that have arrived are dropped before the machine runs.
                NextAction::Read if self.takes_no_datagram() => {}
                NextAction::Read => {
                    // A state that also waits for messages, or for a job, left them for the time after the
                    // read.
                    let left = reason.waits_for(WaitSet::MESSAGE) || reason.waits_for(WaitSet::JOB);
                    if !self.read()? && !self.is_overdue() && !left {
                        return Ok(reason);
                    }
                }
            }
        }
    }

    /// Runs the machine until it stops, and sends queued output when it needs room.
    fn run_machine(&mut self) -> io::Result<StopReason> {
        loop {
            if self.runner.side() == Side::Both {
                match self.run_both()? {
                    StopReason::OtherSide => {}
                    reason => return Ok(reason),
                }
            }
            let (reason, below) = match self.run_handlers() {
                reason @ StopReason::AtMark => (reason, self.budget.mark),
                reason @ StopReason::NeedsRoom(below) => (reason, below),
                StopReason::OtherSide => continue,
                reason => return Ok(reason),
            };
            self.flush()?;
            if self.stream.send.len() < below {
                if self.budget.bytes == 0 {
                    return Ok(StopReason::BudgetSpent);
                }
            } else if reason == StopReason::AtMark && !self.runner.takes_in() {
                self.budget.run_at_mark();
            } else {
                return Ok(reason);
            }
        }
    }

    fn run_handlers(&mut self) -> StopReason {
        if const { M::SPEC.uses(Features::OTHER) } {
            return self.run_handlers_with_other();
        }
        let Stream { io, recv, send } = &mut self.stream;
        let progress = std::mem::take(&mut self.progress);
        recv.lend();
        let mut input = Input::resumed(recv.bytes(), progress, io.state.has_ended());
        let mut cx = Cx::new(send, &*io.socket, self.environment, self.key, self.context);
        cx.set_whole_input(recv.whole());
        cx.look_at::<M>(*io.state);
        let reason = self.runner.run(self.handler, &mut input, &mut cx, &mut self.budget);
        let (unread, messages) = (input.unread().len(), cx.messages_taken());
        if const { M::SPEC.uses(Features::JOBS) } {
            io.state.set_heard(cx.has_heard());
        }
        let wanted = input.wanted();
        self.progress = input.into_progress();
        recv.leave(unread);
        recv.expect(wanted);
        if messages > 0 {
            self.budget.note_progress(unread, send.len());
        }
        reason
    }

    fn is_overdue(&self) -> bool {
        self.runner.deadline() <= self.context.now
    }

    /// Takes the edge of a timer that has expired. Returns a reason to stop, if there is one.
    #[cold]
    fn expire(&mut self) -> Option<StopReason> {
        let Stream { io, send, .. } = &mut self.stream;
        let full = send.len() >= self.budget.mark;
        if full && !self.runner.repeats(self.context.now, &self.environment.settings) {
            // The edge may write, but only once, so that the output of deadlines is bounded.
            if std::mem::replace(&mut self.expired_while_full, true) {
                return Some(StopReason::SendTimeout);
            }
        }
        let ends = self.other.as_mut().map(|other| other.lend(&*io.socket).0);
        let peer: &dyn PeerAddr = match &ends {
            Some(ends) => ends,
            None => &*io.socket,
        };
        let mut cx = Cx::new(send, peer, self.environment, self.key, self.context);
        if self.runner.expire(self.handler, self.context.now, full, &mut cx) {
            self.progress = DecodeProgress::default();
            self.other_progress = DecodeProgress::default();
        }
        (!self.budget.spend_call()).then_some(StopReason::BudgetSpent)
    }

    /// The next action when the machine has stopped.
    fn next_action(&mut self, reason: StopReason, readable: bool) -> io::Result<NextAction> {
        if readable {
            return Ok(NextAction::Read);
        }
        if !reason.waits() || reason.waits_for(WaitSet::READ) {
            return Ok(NextAction::Return);
        }
        if const { M::SPEC.uses(Features::TLS) } && reason.waits_for(WaitSet::TLS) {
            return self.secure();
        }
        if reason.waits_for(WaitSet::SHUTDOWN) {
            self.shut_down()?;
            return Ok(NextAction::Run);
        }
        let state = &*self.stream.io.state;
        let waits_for_end = reason.waits_for(WaitSet::MESSAGE) || reason.waits_for(WaitSet::END);
        if waits_for_end && state.may_have_ended() {
            // Reads, because no read of the machine would notice that the peer is gone. An end behind a full
            // buffer does not matter yet, because unread input comes first.
            let is_full = self.stream.recv.is_full();
            return Ok(if is_full { NextAction::Return } else { NextAction::Read });
        }
        self.unless_broken()
    }

    /// The turn is over, unless the connection to the peer is broken.
    pub(super) fn unless_broken(&self) -> io::Result<NextAction> {
        if self.stream.io.state.is_broken() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(NextAction::Return)
    }

    /// Reads once. Returns whether the machine must run for the result.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        self.has_read = true;
        if const { M::SPEC.uses(Features::DATAGRAMS) } {
            // The output so far is the answer to another datagram.
            self.flush()?;
            self.stream.io.socket.end_datagram()?;
        }
        match self.stream.read()? {
            Received::Bytes(bytes) => {
                self.budget.spend_bytes(bytes);
                self.budget.note_progress(self.stream.recv.bytes().len(), self.stream.send.len());
                if const { M::SPEC.uses(Features::JOBS) } {
                    self.stream.io.state.set_heard(true);
                }
                Ok(true)
            }
            Received::End => {
                let unread = !self.stream.recv.bytes().is_empty();
                if is_cut_off(&*self.stream.io.socket, &*self.runner.machine, unread) {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(true)
            }
            Received::Nothing if self.stream.io.state.is_readable() => {
                self.budget.bytes = 0;
                Ok(true)
            }
            Received::Nothing => Ok(false),
        }
    }

    /// Ends the stream to the peer, which has taken all output.
    fn shut_down(&mut self) -> io::Result<()> {
        self.stream.io.socket.shutdown()?;
        self.stream.io.state.set_shut();
        Ok(())
    }

    /// Sends queued output until the socket takes no more.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        // The state may be one of an earlier pool.
        if self.stream.io.state.is_shut() {
            self.discard_output();
        }
        let files = self.stream.send.files_sent();
        let sent = self.stream.flush()?;
        if sent > 0 {
            self.sent += sent;
            // Files have a share of the turn of their own.
            self.budget.spend_bytes(sent - (self.stream.send.files_sent() - files));
            self.budget.note_progress(self.stream.recv.bytes().len(), self.stream.send.len());
        }
        Ok(())
    }

    /// Discards what a handler has written behind the end of the stream to the peer.
    #[cold]
    fn discard_output(&mut self) {
        if !self.stream.send.is_empty() {
            let state = M::SPEC.states[self.runner.machine.state()].name;
            crate::log::warn!(key = %self.key, state, "output after `#[shutdown]` is lost");
            self.stream.send.discard();
        }
    }
}

/// Whether the peer's stream, which has ended, was cut off in the middle of something. Many peers end a connection
/// that rests without saying so (E3).
#[inline]
pub(super) fn is_cut_off<M: Machine>(
    socket: &impl ByteStream,
    machine: &M,
    has_unread: bool,
) -> bool {
    socket.is_truncated()
        && (has_unread || socket.is_within_record() || !M::SPEC.states[machine.state()].rest)
}
