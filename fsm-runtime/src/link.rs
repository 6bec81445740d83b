use std::cell::Cell;
use std::io;

use crate::output::Output;
use crate::transport::Transport;

/// A read that returns less than was asked for has emptied the socket. It is not so on Windows, where
/// only `WouldBlock` arms the next event.
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
    /// The system hints that the peer has ended its stream: an end may come after a short read.
    pub(crate) const HANGUP: Self = Self(4);
    /// The end of the peer's stream was read.
    const EOF: Self = Self(8);
    /// We have ended our stream.
    const SHUT: Self = Self(16);
}

impl std::ops::BitOr for Ready {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A socket with what is known of it.
#[derive(Debug)]
pub(crate) struct Link<S> {
    socket: S,
    ready: Cell<Ready>,
}

/// What came of a read.
#[derive(Debug)]
pub(crate) enum Got {
    Bytes(usize),
    /// Nothing now; an event will tell.
    Nothing,
    End,
}

/// How far a connection has ended.
#[derive(Debug)]
pub(crate) enum Shut {
    /// It can be closed.
    Whole,
    /// The peer was sending; its end is waited for.
    Listening,
    /// The peer is sending, and there is more to read.
    Hearing,
}

impl<S: Transport> Link<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, ready: Cell::new(Ready::WRITE) }
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    pub(crate) fn socket_mut(&mut self) -> &mut S {
        &mut self.socket
    }

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

    #[inline]
    pub(crate) fn readable(&self) -> bool {
        self.has(Ready::READ)
    }

    /// Whether the peer's stream has ended and all of it was read.
    #[inline]
    pub(crate) fn ended(&self) -> bool {
        self.has(Ready::EOF)
    }

    #[inline]
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<Got> {
        loop {
            return match self.socket.read(buffer) {
                Ok(0) => {
                    self.set(Ready::EOF);
                    self.clear(Ready::READ);
                    Ok(Got::End)
                }
                Ok(n) => {
                    if SHORT_READ_IS_LAST && n < buffer.len() && !self.has(Ready::HANGUP) {
                        self.clear(Ready::READ);
                    }
                    Ok(Got::Bytes(n))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.clear(Ready::READ);
                    Ok(Got::Nothing)
                }
                Err(error) => Err(error),
            };
        }
    }

    /// Sends what is queued, as far as the socket takes it.
    #[inline]
    pub(crate) fn flush(&self, output: &mut Output) -> io::Result<()> {
        if output.len() > 0 && self.has(Ready::WRITE) && !output.flush(&self.socket)? {
            self.clear(Ready::WRITE);
        }
        Ok(())
    }

    /// Ends our stream and sees the peer off.
    ///
    /// A socket that is closed while input is unread resets the connection, and the reset can
    /// overtake our last answer. So if the peer is still sending, what it sends is read and
    /// dropped, a buffer a turn, until it ends its stream too.
    pub(crate) fn shut(&self, buffer: &mut [u8]) -> Shut {
        let first = !self.has(Ready::SHUT);
        if first {
            self.set(Ready::SHUT);
            if self.ended() || self.socket.shutdown().is_err() {
                return Shut::Whole;
            }
        }
        match self.read(buffer) {
            Ok(Got::Bytes(_)) if self.readable() => Shut::Hearing,
            Ok(Got::Nothing) if first => Shut::Whole,
            Ok(Got::Bytes(_) | Got::Nothing) => Shut::Listening,
            Ok(Got::End) | Err(_) => Shut::Whole,
        }
    }
}
