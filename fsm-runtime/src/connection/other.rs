//! The other socket of a connection, during a turn.

use std::io;

use crate::connection::other::connect::Dialer;
use crate::connection::other::ends::BothEnds;
use crate::connection::relay::pass_on;
use crate::connection::scratch::OtherScratch;
use crate::connection::turn::{NextAction, Turn};
use crate::machine::runner::{Side, StopReason};
use crate::net::other_end::{Link, OtherEnd, Relay, RelayEnd};
use crate::net::poll::Registry;
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream::Stream;
use crate::net::transport::{ByteStream, PeerAddr};
use crate::spec::Features;
use crate::{Cx, Drive, Input, WaitSet, Way};

mod both;
mod connect;
mod ends;

/// The other socket and its buffers, borrowed for a turn.
pub(super) struct OtherSide<'a> {
    pub(super) end: &'a mut OtherEnd,
    pub(super) recv: RecvBuffer<'a>,
    pub(super) send: &'a mut SendBuffer,
    /// The bytes that the socket has taken in this turn.
    pub(super) sent: usize,
    pub(super) times: Times,
    world: Dialer<'a>,
}

/// The time of a turn, and the time in which a peer must take some of its output.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) now: u64,
    pub(super) within: u64,
}

impl<'a> OtherSide<'a> {
    /// Lends the end and the buffers of the thread.
    pub(super) fn new(
        end: &'a mut OtherEnd,
        scratch: &'a mut OtherScratch,
        registry: Option<&'a Registry>,
        times: Times,
    ) -> Self {
        #[cfg(feature = "tls")]
        let tls = scratch.tls.as_ref();
        let OtherScratch { buffer, output, lookups, test, .. } = scratch;
        let world = match (registry, lookups, test) {
            (Some(registry), Some(lookups), _) => Dialer::System {
                registry,
                lookups,
                #[cfg(feature = "tls")]
                tls,
            },
            (_, _, Some(test)) => Dialer::Test(&**test),
            _ => Dialer::Nothing,
        };
        let mut recv = RecvBuffer::new(buffer);
        recv.resume(std::mem::take(&mut end.input));
        output.resume(std::mem::take(&mut end.output));
        end.breaks = false;
        if end.send_by <= times.now {
            // A poll may report room late, when much of the socket's buffer is free again.
            end.state.add(Readiness::WRITE);
        }
        Self { end, recv, send: output, sent: 0, times, world }
    }

    /// Leaves the unread input and the unsent output for the next turn.
    pub(super) fn keep(self) {
        let Self { end, recv, send, sent, .. } = self;
        end.has_sent = sent > 0;
        end.input = recv.keep();
        end.output = send.keep();
    }

    /// Joins the first socket and this one for the `Cx` of a handler.
    pub(super) fn lend<'s, S>(
        &'s mut self,
        socket: &'s S,
    ) -> (BothEnds<'s, S>, &'s mut RecvBuffer<'a>) {
        let Self { end, recv, send, .. } = self;
        (BothEnds::new(socket, end, send), recv)
    }

    /// Goes on with what TLS itself has to read and to send.
    pub(super) fn drive(&mut self) {
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return;
        };
        if stream.is_layered() && stream.drive(state).is_err() {
            self.broken();
        }
    }

    /// Sends queued output until the socket takes no more. Returns the number of bytes that it took.
    pub(super) fn flush(&mut self) -> usize {
        if self.end.named.is_some() {
            // The connection that is open may be to another target than the output is for.
            return 0;
        }
        if matches!(self.end.link, Link::Lost) {
            self.send.discard();
        }
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return 0;
        };
        let flushed = ReadyIo { socket: stream, state }.flush(self.send);
        self.sent += *flushed.as_ref().unwrap_or(&0);
        flushed.unwrap_or_else(|_| {
            match &mut self.end.relay {
                // Bytes that the target has sent before it broke off are read first.
                Some(relay) if relay.way == Way::Out => {
                    relay.end = Some(RelayEnd::Gone);
                    self.end.state.add(Readiness::READ | Readiness::MAYBE_EOF);
                    self.end.breaks = true;
                    self.send.discard();
                }
                _ => self.broken(),
            }
            0
        })
    }

    /// Reads once, and appends to the unread input.
    pub(super) fn read(&mut self) -> Received {
        self.receive().unwrap_or_else(|_| {
            self.broken();
            Received::End
        })
    }

    fn receive(&mut self) -> io::Result<Received> {
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return Ok(Received::Nothing);
        };
        self.recv.read(&mut ReadyIo { socket: stream, state })
    }

    /// Whether the output that waits is at the mark, so that nothing that would add to it is taken.
    pub(super) fn is_full(&self, mark: usize) -> bool {
        self.end.is_open() && self.end.named.is_none() && self.send.len() >= mark
    }

    /// Resets the connection if its peer has not taken any of its output for as long as the pool's send timeout (L3,
    /// E12). For the machine it is broken.
    pub(super) fn check_time(&mut self) {
        let Times { now, within } = self.times;
        let waits = !self.send.is_empty() && self.end.named.is_none();
        let OtherEnd { link: Link::Open { stream, .. }, send_by, target, .. } = &mut *self.end
        else {
            self.end.send_by = u64::MAX;
            return;
        };
        if self.sent > 0 || !waits {
            *send_by = u64::MAX;
        }
        if waits {
            *send_by = (*send_by).min(now.saturating_add(within));
        }
        if *send_by > now && stream.check_time(now, within).is_ok() {
            return;
        }
        let target = target.as_ref();
        crate::log::debug!(?target, "another socket is reset, because its peer takes no output");
        stream.abort();
        self.end.link = Link::Lost;
        self.end.send_by = u64::MAX;
        self.broken();
        self.end.breaks = true;
    }

    /// Notes that the connection is broken: for the machine its stream has ended, or the relay.
    pub(super) fn broken(&mut self) {
        self.end.breaks |= !self.end.state.has_ended();
        self.end.state.set_ended();
        self.send.discard();
        if let Some(relay) = &mut self.end.relay {
            relay.end = Some(RelayEnd::Gone);
        }
    }
}

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Whether a read of the other socket, or a relay, may bring what the machine waits for.
    pub(super) fn other_is_readable(&self, reason: StopReason) -> bool {
        let Some(other) = &self.other else { return false };
        let state = &self.stream.io.state;
        (reason.waits_for(WaitSet::READ_OTHER) && other.end.state.is_readable())
            || (reason.waits_for(WaitSet::RELAY)
                && (other.end.state.is_readable() || state.is_readable()))
    }

    /// Runs handlers with the input of the socket that the state reads.
    pub(super) fn run_handlers_with_other(&mut self) -> StopReason {
        let Stream { io, recv, send } = &mut self.stream;
        let Some(other) = &mut self.other else { return StopReason::BudgetSpent };
        if other.send.len() >= self.budget.mark && self.runner.takes_in() {
            other.flush();
            if other.send.len() >= self.budget.mark {
                return StopReason::Waiting(WaitSet::writable(0));
            }
        }
        if other.end.relay.as_ref().is_some_and(Relay::cuts_off_the_first) {
            // The peer has not got all bytes, so the end of its connection is a reset, too.
            io.socket.abort();
        }
        let reads_other = self.runner.side() == Side::Other;
        let other_ended = other.end.state.has_ended() || !other.end.is_open();
        let (ends, other_recv) = other.lend(&*io.socket);
        let (recv, ended) = if reads_other {
            (other_recv, other_ended)
        } else {
            (&mut *recv, io.state.has_ended())
        };
        let progress = std::mem::take(&mut self.progress);
        recv.lend();
        let mut input = Input::resumed(recv.bytes(), progress, ended);
        let mut cx = Cx::new(send, &ends, self.environment, self.key, self.context);
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

    /// The next action of a machine that waits for the other socket; `None` if it waits for something else.
    pub(super) fn next_with_other(&mut self, reason: StopReason) -> io::Result<Option<NextAction>> {
        let Some(other) = &mut self.other else { return Ok(None) };
        if self.runner.side() == Side::Both && reason.waits() {
            return self.next_with_both(reason).map(Some);
        }
        if reason.waits_for(WaitSet::CONNECT) {
            let waker = || self.environment.mailboxes.waker();
            let decided = other.connect(self.key, &waker);
            return Ok(Some(if decided { NextAction::Run } else { self.unless_broken()? }));
        }
        if reason.waits_for(WaitSet::READ_OTHER) {
            return self.read_other().map(Some);
        }
        if reason.waits_for(WaitSet::RELAY) {
            return self.relay().map(Some);
        }
        Ok(None)
    }

    fn read_other(&mut self) -> io::Result<NextAction> {
        let Some(other) = &mut self.other else { return Ok(NextAction::Return) };
        if !other.end.state.is_readable() {
            return self.unless_broken();
        }
        if self.budget.bytes == 0 {
            return Ok(NextAction::Pause);
        }
        self.has_read = true;
        match other.read() {
            Received::Bytes(bytes) => {
                self.budget.spend_bytes(bytes);
                self.budget.note_progress(other.recv.bytes().len(), self.stream.send.len());
                Ok(NextAction::Run)
            }
            Received::End => Ok(NextAction::Run),
            Received::Nothing if other.end.state.is_readable() => Ok(NextAction::Pause),
            Received::Nothing => Ok(NextAction::Return),
        }
    }

    fn relay(&mut self) -> io::Result<NextAction> {
        let Some(other) = &mut self.other else { return Ok(NextAction::Return) };
        self.has_read = true;
        let passed = pass_on(&mut self.stream, other, &mut self.budget)?;
        self.sent += passed.sent;
        if passed.moved {
            let (now, settings) = (self.context.now, &self.environment.settings);
            self.runner.stay(now, settings);
            if passed.half_closed {
                self.runner.half_closed(now, settings);
            }
            self.budget.note_progress(self.stream.recv.bytes().len(), self.stream.send.len());
        }
        if let Some(over) = passed.over {
            self.has_answered |= over.has_answered;
            Ok(NextAction::Run)
        } else if self.budget.bytes == 0 {
            Ok(NextAction::Pause)
        } else {
            self.unless_broken()
        }
    }
}
