use std::io;

use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::SendBuffer;
use crate::net::transport::ByteStream;

/// A connection's stream during a turn: the socket with its state, and a buffer on each side.
///
/// Between turns the connection keeps the socket and its state alone; both buffers are the
/// thread's. Unread input and unsent output that are left at the end of a turn move to a
/// [`PendingIo`](crate::net::pending_io::PendingIo).
pub(crate) struct Stream<'a, S> {
    pub(crate) io: ReadyIo<'a, S>,
    pub(crate) recv: RecvBuffer<'a>,
    pub(crate) send: &'a mut SendBuffer,
}

impl<S: ByteStream> Stream<'_, S> {
    /// Reads once and appends to the unread input.
    #[inline]
    pub(crate) fn read(&mut self) -> io::Result<Received> {
        self.recv.read(&mut self.io)
    }

    /// Sends queued output until the socket takes no more. Returns the number of bytes that it
    /// took.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<usize> {
        self.io.flush(self.send)
    }
}
