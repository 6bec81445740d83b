//! Passing bytes on from one socket of a connection to the other.

use std::io;

use crate::Way;
use crate::connection::other::OtherSide;
use crate::machine::runner::Budget;
use crate::net::other_end::{Link, OtherEnd, Passage, Relay, RelayEnd};
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::SendBuffer;
use crate::net::stream::Stream;
use crate::net::transport::ByteStream;

/// What a call of [`pass_on`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PassedOn {
    /// Some bytes have moved, or an end.
    pub(super) moved: bool,
    /// One of the streams has ended.
    pub(super) half_closed: bool,
    /// The relay has ended.
    pub(super) is_over: bool,
}

/// One side of a passage: a socket with its buffers.
struct Side<'a, 'b, S> {
    io: ReadyIo<'a, S>,
    recv: &'a mut RecvBuffer<'b>,
    send: &'a mut SendBuffer,
}

/// The side at which an operation has failed.
enum Broken {
    Source,
    Sink,
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
    let mut passed = PassedOn { moved: false, half_closed: false, is_over: false };
    loop {
        let OtherSide { end, recv, send, .. } = other;
        let OtherEnd { link: Link::Open { stream, .. }, state, relay: Some(relay), .. } =
            &mut **end
        else {
            break;
        };
        if relay.end.is_some() {
            passed.is_over = true;
            break;
        }
        let Relay { way, out, back, max, .. } = relay;
        let before = out.moved + back.moved;
        let ends_before = (out.ended, back.ended);
        let mut far = Side { io: ReadyIo { socket: stream, state }, recv, send };
        let mut near = Side {
            io: ReadyIo { socket: &mut *first.io.socket, state: &mut *first.io.state },
            recv: &mut first.recv,
            send: &mut *first.send,
        };
        let mut flushed = 0;
        if *way != Way::Back {
            let passed = pass(&mut near, &mut far, out, *max, budget);
            match passed.and_then(|bytes| pass_end(&near, &mut far, out, *way).map(|()| bytes)) {
                Ok(bytes) => flushed += bytes,
                Err(Broken::Source) => return Err(io::ErrorKind::ConnectionReset.into()),
                Err(Broken::Sink) => relay.end = Some(RelayEnd::Gone),
            }
        }
        if *way != Way::Out && relay.end.is_none() {
            let passed = pass(&mut far, &mut near, back, *max, budget);
            match passed.and_then(|bytes| pass_end(&far, &mut near, back, *way).map(|()| bytes)) {
                Ok(bytes) => flushed += bytes,
                Err(Broken::Source) => relay.end = Some(RelayEnd::Gone),
                Err(Broken::Sink) => return Err(io::ErrorKind::ConnectionReset.into()),
            }
        }
        if let (Some(RelayEnd::Gone), true) = (&relay.end, *way != Way::Out) {
            // What the peer has got is not the whole, so the end of its connection is a reset, too.
            first.io.socket.abort();
        }
        relay.judge(&*first, state.has_ended() && recv.bytes().is_empty());
        let moved = relay.out.moved + relay.back.moved - before;
        let ended = (relay.out.ended, relay.back.ended) != ends_before;
        let progress = moved > 0 || flushed > 0 || ended;
        passed.moved |= progress;
        passed.half_closed |= relay.out.ended || relay.back.ended;
        passed.is_over |= relay.end.is_some();
        if passed.is_over || !progress || budget.bytes == 0 {
            break;
        }
    }
    Ok(passed)
}

impl Relay {
    /// Ends the relay if all is passed on, or if no more can come.
    fn judge<S>(&mut self, first: &Stream<'_, S>, other_is_at_end: bool) {
        if self.end.is_some() {
            return;
        }
        let first_is_at_end = first.io.state.has_ended() && first.recv.bytes().is_empty();
        let (passage, is_at_end) = match self.way {
            Way::Both => {
                if self.out.ended && self.back.ended {
                    self.end = Some(RelayEnd::Done);
                }
                return;
            }
            Way::Out => (&self.out, first_is_at_end),
            Way::Back => (&self.back, other_is_at_end),
        };
        self.end = match (passage.left, is_at_end) {
            (Some(0), _) | (None, true) => Some(RelayEnd::Done),
            (Some(_), true) => Some(RelayEnd::Eof),
            (_, false) => None,
        };
    }
}

/// Passes bytes on in one direction, once. Returns the number of bytes that a queue has lost to its socket.
fn pass<A: ByteStream, B: ByteStream>(
    from: &mut Side<'_, '_, A>,
    to: &mut Side<'_, '_, B>,
    passage: &mut Passage,
    max: usize,
    budget: &mut Budget,
) -> Result<usize, Broken> {
    let flushed = to.io.flush(to.send).map_err(|_| Broken::Sink)?;
    budget.spend_bytes(flushed);
    let room = max.saturating_sub(to.send.len());
    let left = passage.left.and_then(|left| usize::try_from(left).ok());
    let most = left.map_or(room, |left| left.min(room));
    let unread = from.recv.bytes().len();
    let moved = if most == 0 {
        0
    } else if unread > 0 {
        let moved = unread.min(most);
        to.take(&from.recv.bytes()[..moved])?;
        from.recv.leave(unread - moved);
        moved
    } else if from.io.state.is_readable() && !from.io.state.has_ended() {
        match from.recv.read_at_most(&mut from.io, most).map_err(|_| Broken::Source)? {
            Received::Bytes(moved) => {
                to.take(from.recv.bytes())?;
                from.recv.leave(0);
                moved
            }
            Received::Nothing | Received::End => 0,
        }
    } else {
        0
    };
    passage.moved += moved as u64;
    passage.left = passage.left.map(|left| left - moved as u64);
    budget.spend_bytes(moved);
    Ok(flushed)
}

/// Passes the end of the stream on in a relay of both ways, once all before it has left.
fn pass_end<A: ByteStream, B: ByteStream>(
    from: &Side<'_, '_, A>,
    to: &mut Side<'_, '_, B>,
    passage: &mut Passage,
    way: Way,
) -> Result<(), Broken> {
    let is_at_end = from.io.state.has_ended() && from.recv.bytes().is_empty();
    if way != Way::Both || passage.ended || !is_at_end || !to.send.is_empty() {
        return Ok(());
    }
    if !to.io.state.is_shut() {
        to.io.socket.shutdown().map_err(|_| Broken::Sink)?;
        to.io.state.set_shut();
    }
    passage.ended = true;
    Ok(())
}

impl<S: ByteStream> Side<'_, '_, S> {
    /// Sends bytes, and queues those that the socket does not take.
    fn take(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut sent = 0;
        if self.send.is_empty() && self.io.state.is_writable() {
            sent = match self.io.socket.write(bytes) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.io.state.set_write_blocked();
                    0
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(_) => return Err(Broken::Sink),
            };
        }
        self.send.write(&bytes[sent..]);
        Ok(())
    }
}
