//! Passing bytes on from one socket of a connection to the other.

use std::io;

use crate::Way;
use crate::connection::other::OtherSide;
use crate::machine::runner::Budget;
use crate::net::other_end::{Link, OtherEnd, Passage, Relay, RelayEnd};
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream::Stream;
use crate::net::transport::ByteStream;

/// The result of [`pass_on`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PassedOn {
    /// Some bytes have moved, or an end.
    pub(super) moved: bool,
    /// One of the streams has ended.
    pub(super) half_closed: bool,
    /// The relay has ended.
    pub(super) is_over: bool,
}

/// One side of a passage: a socket with its buffers.
struct RelaySide<'a, 'b, S> {
    io: ReadyIo<'a, S>,
    recv: &'a mut RecvBuffer<'b>,
    send: &'a mut SendBuffer,
}

/// The side at which an operation has failed.
enum FailedSide {
    Source,
    Sink,
}

impl FailedSide {
    /// A side that cannot be read. The log has the reason, such as an alert of TLS, because no edge has it.
    #[cold]
    fn source(error: &io::Error) -> Self {
        crate::log::debug!(%error, "a side of a relay cannot be read");
        Self::Source
    }
}

/// Passes bytes on until both sockets have nothing to read or no room, or the budget is spent (S1). An error is
/// one of the first socket.
///
/// Unread bytes go first. A side is read only while less than the relay's `max` waits for the other one, and
/// its end is passed on after what precedes it.
pub(super) fn pass_on<S: ByteStream>(
    first: &mut Stream<'_, S>,
    other: &mut OtherSide<'_>,
    budget: &mut Budget,
) -> io::Result<PassedOn> {
    let mut all = PassedOn::default();
    loop {
        let passed = pass_once(first, other, budget)?;
        all.moved |= passed.moved;
        all.half_closed = passed.half_closed;
        all.is_over = passed.is_over;
        if passed.is_over || !passed.moved || budget.bytes == 0 {
            return Ok(all);
        }
    }
}

/// Reads and writes each socket once at most.
fn pass_once<S: ByteStream>(
    first: &mut Stream<'_, S>,
    other: &mut OtherSide<'_>,
    budget: &mut Budget,
) -> io::Result<PassedOn> {
    let OtherSide { end, recv, send, .. } = other;
    let OtherEnd { link, state, relay: Some(relay), .. } = &mut **end else {
        return Ok(PassedOn::default());
    };
    let Link::Open { stream, .. } = link else {
        relay.end = Some(RelayEnd::Gone);
        return Ok(PassedOn { is_over: true, ..PassedOn::default() });
    };
    let before = relay.progress();
    let mut far = RelaySide { io: ReadyIo { socket: stream, state }, recv, send };
    let mut near = RelaySide {
        io: ReadyIo { socket: &mut *first.io.socket, state: &mut *first.io.state },
        recv: &mut first.recv,
        send: &mut *first.send,
    };
    let mut flushed = 0;
    if relay.end.is_none() && relay.way != Way::Back {
        match relay.out.pass(&mut near, &mut far, relay.way, relay.max, budget) {
            Ok(bytes) => flushed += bytes,
            Err(FailedSide::Source) => return Err(io::ErrorKind::ConnectionReset.into()),
            Err(FailedSide::Sink) => {
                relay.end = Some(RelayEnd::Gone);
                if relay.way == Way::Out {
                    // A state that also reads the target hears what that has sent before.
                    far.io.state.add(Readiness::READ | Readiness::MAYBE_EOF);
                }
            }
        }
    }
    if relay.end.is_none() && relay.way != Way::Out {
        match relay.back.pass(&mut far, &mut near, relay.way, relay.max, budget) {
            Ok(bytes) => flushed += bytes,
            Err(FailedSide::Source) => relay.end = Some(RelayEnd::Gone),
            Err(FailedSide::Sink) => return Err(io::ErrorKind::ConnectionReset.into()),
        }
    }
    if let (Some(RelayEnd::Gone), true) = (&relay.end, relay.way != Way::Out) {
        // The peer has not got all bytes, so the end of its connection is a reset, too.
        near.io.socket.abort();
    }
    relay.judge(near.is_at_end(), far.is_at_end());
    Ok(PassedOn {
        moved: flushed > 0 || relay.progress() != before,
        half_closed: relay.out.ended || relay.back.ended,
        is_over: relay.end.is_some(),
    })
}

impl Relay {
    /// The bytes and the ends that were passed on.
    fn progress(&self) -> (u64, bool, bool) {
        (self.out.moved + self.back.moved, self.out.ended, self.back.ended)
    }

    /// Ends the relay if all is passed on, or if no more can come.
    fn judge(&mut self, first_is_at_end: bool, other_is_at_end: bool) {
        let (passage, is_at_end) = match self.way {
            Way::Both => {
                let done = self.out.ended && self.back.ended && self.end.is_none();
                self.end = if done { Some(RelayEnd::Done) } else { self.end.take() };
                return;
            }
            Way::Out => (&self.out, first_is_at_end),
            Way::Back => (&self.back, other_is_at_end),
        };
        let end = match (passage.left, is_at_end) {
            (Some(0), _) | (None, true) => Some(RelayEnd::Done),
            (Some(_), true) => Some(RelayEnd::Eof),
            (_, false) => None,
        };
        self.end = self.end.take().or(end);
    }
}

impl Passage {
    /// Passes bytes on in one direction, once, and in a relay of both ways the end of the stream, when all before
    /// it has left. Returns the number of bytes that a queue has lost to its socket.
    fn pass<A: ByteStream, B: ByteStream>(
        &mut self,
        from: &mut RelaySide<'_, '_, A>,
        to: &mut RelaySide<'_, '_, B>,
        way: Way,
        max: usize,
        budget: &mut Budget,
    ) -> Result<usize, FailedSide> {
        let flushed = to.io.flush(to.send).map_err(|_| FailedSide::Sink)?;
        budget.spend_bytes(flushed);
        let room = max.saturating_sub(to.send.len());
        let left = self.left.and_then(|left| usize::try_from(left).ok());
        let moved = from.give(to, left.map_or(room, |left| left.min(room)))?;
        if moved == 0 && from.has_more(room) {
            // It has had its share of this turn.
            budget.bytes = 0;
        }
        self.moved += moved as u64;
        self.left = self.left.map(|left| left - moved as u64);
        budget.spend_bytes(moved);
        if way == Way::Both && !self.ended && from.is_at_end() && to.send.is_empty() {
            to.shut_down()?;
            self.ended = true;
        }
        Ok(flushed)
    }
}

impl<S: ByteStream> RelaySide<'_, '_, S> {
    /// Whether the stream has ended and all of it was used.
    fn is_at_end(&self) -> bool {
        self.io.state.has_ended() && self.recv.bytes().is_empty()
    }

    /// Whether more can be read, for which the other side has `room`.
    fn has_more(&self, room: usize) -> bool {
        room > 0 && self.io.state.is_readable() && !self.io.state.has_ended()
    }

    /// Gives at most `most` bytes to the other side: unread ones, or those of one read. Returns their number.
    fn give<B: ByteStream>(
        &mut self,
        to: &mut RelaySide<'_, '_, B>,
        most: usize,
    ) -> Result<usize, FailedSide> {
        let unread = self.recv.bytes().len();
        if most == 0 {
            return Ok(0);
        }
        if unread > 0 {
            let moved = unread.min(most);
            to.take(&self.recv.bytes()[..moved])?;
            self.recv.leave(unread - moved);
            return Ok(moved);
        }
        if !self.io.state.is_readable() || self.io.state.has_ended() {
            return Ok(0);
        }
        let received = self.recv.read_at_most(&mut self.io, most);
        match received.map_err(|error| FailedSide::source(&error))? {
            Received::Bytes(moved) => {
                to.take(self.recv.bytes())?;
                self.recv.leave(0);
                Ok(moved)
            }
            // A stream that was cut off must not look complete.
            Received::End if self.io.socket.is_truncated() => Err(FailedSide::Source),
            Received::Nothing | Received::End => Ok(0),
        }
    }

    /// Ends the stream to the peer.
    fn shut_down(&mut self) -> Result<(), FailedSide> {
        if !self.io.state.is_shut() {
            self.io.socket.shutdown().map_err(|_| FailedSide::Sink)?;
            self.io.state.set_shut();
        }
        Ok(())
    }

    /// Sends bytes, and queues those that the socket does not take.
    fn take(&mut self, bytes: &[u8]) -> Result<(), FailedSide> {
        let mut sent = 0;
        if self.send.is_empty() && self.io.state.is_writable() {
            sent = match self.io.socket.write(bytes) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.io.state.set_write_blocked();
                    0
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(_) => return Err(FailedSide::Sink),
            };
        }
        self.send.write(&bytes[sent..]);
        Ok(())
    }
}
