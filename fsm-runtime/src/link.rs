use std::cell::Cell;
use std::io;

use crate::output::Output;
use crate::transport::Transport;

/// A read that returns less than was asked for has emptied the socket. It is not so on Windows,
/// where only `WouldBlock` arms the next event.
const SHORT_READ_IS_LAST: bool = cfg!(unix);

/// What is known of a socket, a bit each: readiness is cached until `WouldBlock` takes it back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ready(u8);

impl Ready {
    pub(crate) const NONE: Self = Self(0);
    /// A read may succeed.
    pub(crate) const READ: Self = Self(1);
    /// A write may succeed.
    pub(crate) const WRITE: Self = Self(2);
    /// A short read proves nothing: the end of the stream or urgent data may be behind it.
    pub(crate) const DOUBT: Self = Self(4);
    /// The connection is broken.
    pub(crate) const BROKEN: Self = Self(8);
    /// The system says that the peer has ended its stream.
    pub(crate) const HANGUP: Self = Self(64);
    /// The end of the peer's stream was read.
    const EOF: Self = Self(16);
    /// We have ended our stream.
    const SHUT: Self = Self(32);
    /// The machine was left waiting for input, with none to use.
    const EAGER: Self = Self(128);
}

impl Ready {
    #[inline]
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    #[inline]
    pub(crate) fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    #[inline]
    pub(crate) fn of(read: bool, write: bool) -> Self {
        Self(u8::from(read) | u8::from(write) << 1)
    }
}

impl std::ops::BitOr for Ready {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A socket with what is known of it: parts of a connection.
#[derive(Debug)]
pub(crate) struct Link<'a, S> {
    pub(crate) socket: &'a S,
    pub(crate) ready: &'a Cell<Ready>,
}

/// What is known of a new socket.
pub(crate) const NEW: Ready = Ready::WRITE;

/// What came of a read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Bytes(usize),
    /// Nothing now; an event will tell.
    Nothing,
    End,
}

/// How far a connection has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// It can be closed.
    Whole,
    /// The peer was sending; its end is waited for.
    Listening,
    /// The peer is sending, and there is more to read.
    Hearing,
}

impl<S: Transport> Link<'_, S> {
    #[inline]
    fn has(&self, bits: Ready) -> bool {
        self.ready.get().0 & bits.0 != 0
    }

    #[inline]
    pub(crate) fn set(&self, bits: Ready) {
        self.ready.set(self.ready.get() | bits);
    }

    #[inline]
    fn clear(&self, bits: Ready) {
        self.ready.set(Ready(self.ready.get().0 & !bits.0));
    }

    /// Whether all there is to do is to read.
    #[inline]
    pub(crate) fn only_reads(&self) -> bool {
        self.ready.get().0 & !Ready::WRITE.0 == Ready::READ.0 | Ready::EAGER.0
    }

    /// Whether there is nothing to do but to wait for input.
    #[inline]
    pub(crate) fn only_waits(&self) -> bool {
        self.ready.get().0 & !Ready::WRITE.0 == Ready::EAGER.0
    }

    /// Notes whether the machine waits for input and has none.
    #[inline]
    pub(crate) fn set_eager(&self, eager: bool) {
        if eager {
            self.set(Ready::EAGER);
        } else {
            self.clear(Ready::EAGER);
        }
    }

    #[inline]
    pub(crate) fn readable(&self) -> bool {
        self.has(Ready::READ)
    }

    /// Whether the peer's stream may have ended behind what is unread.
    pub(crate) fn doubtful(&self) -> bool {
        self.has(Ready::DOUBT) && !self.ended()
    }

    pub(crate) fn hung_up(&self) -> bool {
        self.has(Ready::HANGUP)
    }

    #[inline]
    pub(crate) fn broken(&self) -> bool {
        self.has(Ready::BROKEN)
    }

    /// Whether the peer's stream has ended and all of it was read.
    #[inline]
    pub(crate) fn ended(&self) -> bool {
        self.has(Ready::EOF)
    }

    /// Takes the peer's stream for ended.
    pub(crate) fn set_ended(&self) {
        self.set(Ready::EOF);
        self.clear(Ready::READ);
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Got> {
        match self.socket.read(buffer) {
            Ok(0) => {
                self.set_ended();
                Ok(Got::End)
            }
            Ok(n) => {
                if SHORT_READ_IS_LAST && n < buffer.len() && !self.has(Ready::DOUBT) {
                    self.clear(Ready::READ);
                }
                Ok(Got::Bytes(n))
            }
            Err(error) => self.not_read(error, buffer),
        }
    }

    #[cold]
    fn not_read(&self, error: io::Error, buffer: &mut [u8]) -> io::Result<Got> {
        match error.kind() {
            io::ErrorKind::Interrupted => self.read(buffer),
            io::ErrorKind::WouldBlock => {
                self.clear(Ready::READ | Ready::DOUBT);
                Ok(Got::Nothing)
            }
            _ => Err(error),
        }
    }

    /// Sends a short answer that leaves at once, as nearly all do; says whether it was one.
    #[expect(
        clippy::inline_always,
        reason = "counted: calls are a third of what a short turn costs"
    )]
    #[inline(always)]
    pub(crate) fn sends(&self, output: &mut Output) -> bool {
        let Some(bytes) = output.short() else { return false };
        let len = bytes.len();
        if len == 0 || !self.has(Ready::WRITE) {
            return len == 0;
        }
        match self.socket.write(bytes) {
            Ok(sent) if sent == len => {
                output.sent_short();
                true
            }
            wrote => {
                self.sent_less(output, wrote);
                false
            }
        }
    }

    #[cold]
    fn sent_less(&self, output: &mut Output, wrote: io::Result<usize>) {
        match wrote {
            Ok(sent) => output.advance(sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.clear(Ready::WRITE),
            // The next try has the same error, or goes well.
            Err(_) => {}
        }
    }

    /// Sends what is queued, as far as the socket takes it; says how many bytes it took.
    #[inline]
    pub(crate) fn flush(&self, output: &mut Output) -> io::Result<usize> {
        let queued = output.len();
        if queued == 0 || !self.has(Ready::WRITE) {
            return Ok(0);
        }
        if !output.flush(self.socket)? {
            self.clear(Ready::WRITE);
        }
        Ok(queued - output.len())
    }

    /// Ends our stream and sees the peer off.
    ///
    /// A socket that is closed while input is unread resets the connection, and the reset can
    /// overtake our last answer. So if the peer is still sending, what it sends is read and
    /// dropped, a buffer a turn, until it ends its stream too.
    pub(crate) fn shut(&self, buffer: &mut [u8]) -> Shut {
        if self.ended() {
            return Shut::Whole;
        }
        match self.read(buffer) {
            Ok(Got::Bytes(_)) => {
                if !self.has(Ready::SHUT) {
                    self.set(Ready::SHUT);
                    if self.socket.shutdown().is_err() {
                        return Shut::Whole;
                    }
                }
                if self.readable() { Shut::Hearing } else { Shut::Listening }
            }
            Ok(Got::Nothing) if self.has(Ready::SHUT) => Shut::Listening,
            Ok(Got::Nothing | Got::End) | Err(_) => Shut::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::IoSlice;

    use super::*;
    use crate::Peer;

    /// A socket whose reads return these.
    struct Reads(RefCell<Vec<io::Result<usize>>>);

    impl Transport for Reads {
        fn read(&self, _: &mut [u8]) -> io::Result<usize> {
            self.0.borrow_mut().remove(0)
        }

        fn write(&self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn write_vectored(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn shutdown(&self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&self) {}

        fn peer(&self) -> io::Result<Peer> {
            Ok(Peer::Memory)
        }
    }

    /// A socket that may be read, and what is known of it.
    fn parts(reads: Vec<io::Result<usize>>) -> (Reads, Cell<Ready>) {
        (Reads(RefCell::new(reads)), Cell::new(NEW | Ready::READ))
    }

    fn link((socket, ready): &(Reads, Cell<Ready>)) -> Link<'_, Reads> {
        Link { socket, ready }
    }

    fn read(link: &Link<'_, Reads>) -> Got {
        link.read(&mut [0; 8]).unwrap()
    }

    #[test]
    fn x3_pitfall_1_readiness_lasts_until_the_socket_is_known_to_be_empty() {
        let blocked = || Err(io::ErrorKind::WouldBlock.into());
        let parts = parts(vec![Ok(8), Ok(8), blocked()]);
        let link = link(&parts);
        for _ in 0..2 {
            assert_eq!(read(&link), Got::Bytes(8));
            assert!(link.readable());
        }
        assert_eq!(read(&link), Got::Nothing);
        assert!(!link.readable());
    }

    #[test]
    #[cfg(unix)]
    fn pitfall_1_a_short_read_is_the_last_unless_an_end_may_follow() {
        let parts_of_short = parts(vec![Ok(3)]);
        let short = link(&parts_of_short);
        assert_eq!(read(&short), Got::Bytes(3));
        assert!(!short.readable());

        let parts_of_ends = parts(vec![Ok(3), Ok(0)]);
        let ends = link(&parts_of_ends);
        ends.set(Ready::DOUBT);
        assert_eq!(read(&ends), Got::Bytes(3));
        assert!(ends.readable());
        assert_eq!(read(&ends), Got::End);
        assert!(ends.ended() && !ends.readable());
    }

    /// A socket that counts the writes, of which it takes the first `room`.
    #[derive(Default)]
    struct Writes {
        tried: Cell<usize>,
        room: usize,
    }

    impl Transport for Writes {
        fn read(&self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }

        fn write(&self, bytes: &[u8]) -> io::Result<usize> {
            self.tried.set(self.tried.get() + 1);
            if self.tried.get() <= self.room {
                Ok(bytes.len())
            } else {
                Err(io::ErrorKind::WouldBlock.into())
            }
        }

        fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            self.write(&slices[0])
        }

        fn shutdown(&self) -> io::Result<()> {
            Ok(())
        }

        fn abort(&self) {}

        fn peer(&self) -> io::Result<Peer> {
            Ok(Peer::Memory)
        }
    }

    #[test]
    fn r7_a_write_is_tried_at_once_and_waits_only_after_would_block() {
        let (socket, ready) = (Writes { room: 2, ..Writes::default() }, Cell::new(NEW));
        let link = Link { socket: &socket, ready: &ready };
        let mut output = Output::default();
        // The poll has told nothing yet, and both leave.
        output.write(b"one");
        assert!(link.sends(&mut output));
        output.write(b"two");
        assert_eq!(link.flush(&mut output).unwrap(), 3);
        output.write(b"three");
        assert_eq!(link.flush(&mut output).unwrap(), 0);
        assert_eq!(socket.tried.get(), 3);
        // The socket has said `WouldBlock`: nothing is tried until an event says that it may be.
        assert_eq!(link.flush(&mut output).unwrap(), 0);
        assert!(!link.sends(&mut output));
        assert_eq!(socket.tried.get(), 3);
        link.set(Ready::WRITE);
        assert_eq!(link.flush(&mut output).unwrap(), 0);
        assert_eq!(socket.tried.get(), 4);
    }

    #[test]
    fn pitfall_4_an_interrupted_read_is_tried_again() {
        let parts = parts(vec![Err(io::ErrorKind::Interrupted.into()), Ok(2)]);
        let link = link(&parts);
        assert_eq!(read(&link), Got::Bytes(2));
    }
}
