//! What a turn reads and sends.

use std::io;

use crate::connection::turn::Turn;
use crate::net::ready_io::Received;
use crate::net::transport::{ByteStream, PeerAddr};
use crate::spec::Features;
use crate::{Drive, Machine};

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Reads once. Returns whether the machine must run for the result.
    pub(in crate::connection) fn read(&mut self) -> io::Result<bool> {
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
                self.stream.io.state.set_heard(const { M::SPEC.uses(Features::JOBS) });
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
    pub(super) fn shut_down(&mut self) -> io::Result<()> {
        self.stream.io.socket.shutdown()?;
        self.stream.io.state.set_shut();
        Ok(())
    }

    /// Sends queued output until the socket takes no more.
    pub(in crate::connection) fn flush(&mut self) -> io::Result<()> {
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
pub(in crate::connection) fn is_cut_off<M: Machine>(
    socket: &impl ByteStream,
    machine: &M,
    has_unread: bool,
) -> bool {
    socket.is_truncated()
        && (has_unread || socket.is_within_record() || !M::SPEC.states[machine.state()].rest)
}
