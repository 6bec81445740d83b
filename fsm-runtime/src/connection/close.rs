use crate::connection::goodbye::Goodbye;
use crate::connection::scratch::ConnectionScratch;
use crate::connection::{ConnectionTask, Pending};
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::scheduler::task::TurnOutcome;
use crate::spec::Features;
use crate::{Drive, Ended, Key};

impl<M: Drive<H>, H, S: ByteStream + Source + PeerAddr> ConnectionTask<M, H, S> {
    /// Sends the rest of the output, and ends the stream when the peer has taken it. `send_by` is the time
    /// by which the peer must have taken some of the output; the turn `has_sent` output before.
    ///
    /// The handler is not kept until then: what it gives back when it is dropped does not wait for the peer.
    pub(super) fn close(
        &mut self,
        why: Ended,
        send_by: u64,
        has_sent: bool,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        let outcome = self.close_stream(why, send_by, has_sent, key, scratch);
        if !matches!(outcome, TurnOutcome::Ended(_)) {
            let handler = self.handler.take();
            if caught(|| drop(handler)).is_none() {
                Self::drop_panicked(key);
            }
        }
        outcome
    }

    fn close_stream(
        &mut self,
        why: Ended,
        send_by: u64,
        has_sent: bool,
        key: Key,
        scratch: &mut ConnectionScratch<M, H>,
    ) -> TurnOutcome {
        if !matches!(self.goodbye, Goodbye::Closing(_)) {
            self.begin_close(why, key, scratch);
        }
        if const { M::SPEC.uses(Features::DATAGRAMS) } {
            return self.close_session(why, scratch);
        }
        let has_last_words = has_sent || !scratch.output.is_empty();
        let now = scratch.context.now;
        let lingers_until = now.saturating_add(scratch.limits.linger);
        let mut io = ReadyIo { socket: &mut self.socket, state: &mut self.state };
        let driven = io.socket.drive(io.state);
        let Ok(sent) = driven.and_then(|()| io.flush(&mut scratch.output)) else {
            scratch.output.discard();
            return TurnOutcome::Ended(why);
        };
        if !scratch.output.is_empty() {
            let send_by = if sent > 0 { lingers_until } else { send_by.min(lingers_until) };
            if send_by <= now {
                return self.send_timed_out(scratch);
            }
            let output = scratch.output.keep();
            let pending = Pending::<M> { output, send_by, ..Pending::<M>::default() };
            self.pending = Some(scratch.boxes.fill(pending));
            // Files have had their share of the turn, or the peer takes no more.
            let paused = self.state.is_writable();
            return if paused { TurnOutcome::Again } else { TurnOutcome::Wait };
        }
        let outcome = match shut_down(&mut io, scratch, has_last_words) {
            Closing::Closed => return TurnOutcome::Ended(why),
            Closing::WaitsForEnd => TurnOutcome::Wait,
            Closing::MoreToDiscard => TurnOutcome::Again,
        };
        if self.deadlines.earliest() == u64::MAX {
            self.deadlines = M::Deadlines::only(lingers_until);
        }
        if self.deadlines.earliest() <= now { TurnOutcome::Ended(why) } else { outcome }
    }

    /// Begins the close of a connection whose machine is done, or which drains.
    fn begin_close(&mut self, why: Ended, key: Key, scratch: &mut ConnectionScratch<M, H>) {
        self.goodbye = Goodbye::Closing(why);
        self.state.set_idle(false);
        if Self::HAS_MAILBOX {
            // From now on a poster learns that the connection is gone.
            scratch.environment.mailboxes.close(key);
        }
        scratch.environment.leaves(key);
        self.deadlines = M::Deadlines::only(u64::MAX);
    }

    /// Ends a connection whose peer does not take its output. The close is a reset, so that the peer does
    /// not mistake the part that it got for the whole.
    pub(super) fn send_timed_out(&mut self, scratch: &mut ConnectionScratch<M, H>) -> TurnOutcome {
        scratch.output.discard();
        self.socket.abort();
        TurnOutcome::Ended(Ended::SendTimeout)
    }
}

/// The progress of closing a connection.
enum Closing {
    /// The socket can be closed without loss.
    Closed,
    /// The peer may still send, and an event reports the end of its stream or further input.
    WaitsForEnd,
    /// The peer is sending, and more input can be read at once.
    MoreToDiscard,
}

/// Shuts down the stream to the peer, and reads until the peer ends its own stream, if the peer is still
/// sending or has to receive the last words.
///
/// The system resets a connection that is closed while input is unread, and one whose peer sends after the
/// close. The reset can overtake the last output, and makes the peer's own sending fail before it has read
/// what it was told. Therefore this reads and drops one buffer of input a turn until the peer has ended. A
/// drain does not wait for a peer that has heard the end and is silent.
fn shut_down<M: Drive<H>, H>(
    io: &mut ReadyIo<'_, impl ByteStream>,
    ConnectionScratch { buffer, context, .. }: &mut ConnectionScratch<M, H>,
    has_last_words: bool,
) -> Closing {
    if io.state.has_ended() {
        if io.socket.is_layered() && !io.state.is_shut() {
            // The system's own end follows in any case.
            let _ = io.socket.shutdown();
            io.state.set_shut();
        }
        return if io.socket.has_unsent() { Closing::WaitsForEnd } else { Closing::Closed };
    }
    let waits = match io.read(buffer) {
        Ok(Received::Bytes(_)) => true,
        Ok(Received::Nothing) if io.state.is_shut() => !context.draining,
        Ok(Received::Nothing) if has_last_words => true,
        // Input that arrives before the close makes it a reset. In a drain, where busy peers are closed, the end
        // goes out first, and a reset behind it is not noticed.
        Ok(Received::Nothing) if context.draining => false,
        // The peer is told the end of a stream that has one of its own.
        Ok(Received::Nothing | Received::End) if io.socket.is_layered() => false,
        Ok(Received::Nothing | Received::End) | Err(_) => return Closing::Closed,
    };
    if !io.state.is_shut() {
        io.state.set_shut();
        if io.socket.shutdown().is_err() {
            return Closing::Closed;
        }
    }
    if waits {
        io.socket.linger();
    }
    match waits {
        false if io.socket.has_unsent() => Closing::WaitsForEnd,
        false => Closing::Closed,
        true if io.state.is_readable() => Closing::MoreToDiscard,
        true => Closing::WaitsForEnd,
    }
}
