use std::io;

use crate::net::send_buffer::{Flushed, SendBuffer};
use crate::net::stream_state::StreamState;
use crate::net::transport::{ByteStream, Read};

/// A socket and the state of its stream, borrowed from a connection. Every read and write updates the state.
#[derive(Debug)]
pub(crate) struct ReadyIo<'a, S> {
    pub(crate) socket: &'a mut S,
    pub(crate) state: &'a mut StreamState,
}

/// The result of a read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received {
    /// This number of bytes, at least one.
    Bytes(usize),
    /// The read would block, and an event reports further input. If the stream is readable all the same, it has
    /// had its share of this turn.
    Nothing,
    /// The end of the peer's stream.
    End,
}

impl<S: ByteStream> ReadyIo<'_, S> {
    #[inline]
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<Received> {
        match self.socket.read(buffer) {
            Ok(Read { bytes: 0, .. }) => {
                self.state.set_ended();
                Ok(Received::End)
            }
            Ok(Read { bytes, drained }) => {
                if drained {
                    self.state.set_drained();
                }
                Ok(Received::Bytes(bytes))
            }
            Err(error) => self.read_failed(error, buffer),
        }
    }

    #[cold]
    fn read_failed(&mut self, error: io::Error, buffer: &mut [u8]) -> io::Result<Received> {
        match error.kind() {
            io::ErrorKind::Interrupted => self.read(buffer),
            io::ErrorKind::WouldBlock => {
                self.state.set_read_blocked();
                Ok(Received::Nothing)
            }
            // There is more to read, in another turn.
            io::ErrorKind::ResourceBusy => Ok(Received::Nothing),
            _ => Err(error),
        }
    }

    /// Sends output that fits in one write, as nearly all output does. Returns whether nothing is
    /// left to send.
    #[expect(
        clippy::inline_always,
        reason = "measured: calls are a third of the instructions of a short turn"
    )]
    #[inline(always)]
    pub(crate) fn send_short(&mut self, output: &mut SendBuffer) -> bool {
        let Some(bytes) = output.short() else { return false };
        let len = bytes.len();
        if len == 0 || !self.state.is_writable() {
            return len == 0;
        }
        match self.socket.write_buffer(output.buffer_mut()) {
            Ok(sent) if sent == len => {
                output.sent_short();
                true
            }
            wrote => {
                self.sent_partially(output, wrote);
                false
            }
        }
    }

    #[cold]
    fn sent_partially(&mut self, output: &mut SendBuffer, wrote: io::Result<usize>) {
        match wrote {
            Ok(sent) => output.advance(sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.state.set_write_blocked();
            }
            // Not handled here, because the next write returns the same error or succeeds.
            Err(_) => {}
        }
    }

    /// Sends queued output until the socket takes no more, or files have had their share of the turn: then the
    /// stream is writable although output is left. Returns the number of bytes that the socket took.
    #[inline]
    pub(crate) fn flush(&mut self, output: &mut SendBuffer) -> io::Result<usize> {
        let queued = output.len();
        if queued == 0 || !self.state.is_writable() {
            return Ok(0);
        }
        if output.flush(self.socket)? == Flushed::Blocked {
            self.state.set_write_blocked();
        }
        Ok(queued - output.len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;

    use super::*;
    use crate::net::readiness::Readiness;

    /// A socket whose reads return these results in turn.
    struct Reads(Vec<io::Result<Read>>);

    impl ByteStream for Reads {
        fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
            self.0.remove(0)
        }

        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn shutdown(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&mut self) {}
    }

    /// A read that may have left bytes in the socket.
    const FULL: Read = Read { bytes: 8, drained: false };
    /// A read that has emptied the socket.
    const SHORT: Read = Read { bytes: 3, drained: true };

    /// Reads once for each of `results`. Returns the outcome of each read, and whether the stream
    /// was readable after it.
    fn read_all(results: Vec<io::Result<Read>>, readiness: Readiness) -> Vec<(Received, bool)> {
        let (count, mut socket) = (results.len(), Reads(results));
        let mut state = StreamState::NEW;
        state.add(Readiness::READ | readiness);
        let mut stream = ReadyIo { socket: &mut socket, state: &mut state };
        (0..count)
            .map(|_| {
                let received = stream.read(&mut [0; 8]).unwrap();
                (received, stream.state.is_readable())
            })
            .collect()
    }

    #[test]
    fn x3_pitfall_1_readiness_lasts_until_the_socket_is_known_to_be_empty() {
        let blocked = Err(io::ErrorKind::WouldBlock.into());
        assert_eq!(
            read_all(vec![Ok(FULL), Ok(FULL), blocked], Readiness::NONE),
            [(Received::Bytes(8), true), (Received::Bytes(8), true), (Received::Nothing, false)]
        );
    }

    #[test]
    fn pitfall_1_a_short_read_is_the_last_unless_an_end_may_follow() {
        assert_eq!(read_all(vec![Ok(SHORT)], Readiness::NONE), [(Received::Bytes(3), false)]);
        let end = Read { bytes: 0, drained: false };
        assert_eq!(
            read_all(vec![Ok(SHORT), Ok(end)], Readiness::MAYBE_EOF),
            [(Received::Bytes(3), true), (Received::End, false)]
        );
    }

    /// A socket that takes the first `room` writes.
    #[derive(Default)]
    struct Writes {
        tried: usize,
        room: usize,
    }

    impl ByteStream for Writes {
        fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.tried += 1;
            if self.tried <= self.room {
                Ok(bytes.len())
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices[0])
        }

        fn shutdown(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&mut self) {}
    }

    #[test]
    fn r7_a_write_is_tried_at_once_and_waits_only_after_would_block() {
        let (mut socket, mut state) = (Writes { room: 2, ..Writes::default() }, StreamState::NEW);
        let mut stream = ReadyIo { socket: &mut socket, state: &mut state };
        let mut output = SendBuffer::default();
        // Both are written although no event has reported room.
        output.write(b"one");
        assert!(stream.send_short(&mut output));
        output.write(b"two");
        assert_eq!(stream.flush(&mut output).unwrap(), 3);
        output.write(b"three");
        assert_eq!(stream.flush(&mut output).unwrap(), 0);
        assert_eq!(stream.socket.tried, 3);
        // After `WouldBlock` no write is tried until an event reports room.
        assert_eq!(stream.flush(&mut output).unwrap(), 0);
        assert!(!stream.send_short(&mut output));
        assert_eq!(stream.socket.tried, 3);
        stream.state.add(Readiness::WRITE);
        assert_eq!(stream.flush(&mut output).unwrap(), 0);
        assert_eq!(stream.socket.tried, 4);
    }

    #[test]
    fn pitfall_4_an_interrupted_read_is_tried_again() {
        let (mut socket, mut state) =
            (Reads(vec![Err(io::ErrorKind::Interrupted.into()), Ok(SHORT)]), StreamState::NEW);
        let mut stream = ReadyIo { socket: &mut socket, state: &mut state };
        assert_eq!(stream.read(&mut [0; 8]).unwrap(), Received::Bytes(3));
    }
}
