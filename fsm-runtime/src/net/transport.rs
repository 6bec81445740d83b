use std::any::Any;
use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;

#[cfg(feature = "tls")]
use crate::TlsSession;
use crate::net::file_copy;
use crate::net::other_end::Relay;
use crate::net::poll::{Registry, Token};
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::tls::TlsSettings;
use crate::net::tls_progress::{Handshake, Securing};
use crate::{Connecting, Ended, Moved, Peer, Relaying, Target};

/// A connected byte stream that never blocks: a socket, one end of a pipe in memory, or a layer
/// over another stream.
pub trait ByteStream {
    /// Reads into the buffer. A [`Read`] of 0 bytes is the end of the peer's stream. An error of the kind
    /// `ResourceBusy` says that more can be read, but in another turn.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read>;
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Writes what is in the buffer, and may take the buffer itself and leave another one, if it takes all of it.
    #[expect(clippy::inline_always, reason = "it is the write of a short turn")]
    #[inline(always)]
    fn write_buffer(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.write(buffer)
    }
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    /// The same for what a file follows at once, with which it may share a packet.
    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_vectored(slices)
    }
    /// Sends at most `most` bytes of the file from `at` on, and keeps nothing of those that it does not send. 0 bytes
    /// say that the file ends before `at`.
    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        file_copy::copy(self, file, at, most)
    }
    /// Shuts down the stream to the peer.
    fn shutdown(&mut self) -> io::Result<()>;
    /// The connection has nothing more to say and waits for the end of the peer's stream. A simulated
    /// peer ends it now.
    fn linger(&mut self) {}
    /// Goes on with what the stream itself has to read and to send, beside what is read and written.
    fn drive(&mut self, _: &mut StreamState) -> io::Result<()> {
        Ok(())
    }
    /// Whether the stream goes on in another turn, also if the machine has nothing to do.
    fn goes_on(&self, _: StreamState) -> bool {
        false
    }
    /// Checks that the peer does within this time what the stream itself waits for. Fails with `InvalidData` if it
    /// does not make its handshake, and with `TimedOut` if it takes nothing of what the stream has to send. Called
    /// at the end of a full turn.
    fn check_time(&mut self, _now: u64, _within: u64) -> io::Result<()> {
        Ok(())
    }
    /// The time at which [`check_time`](Self::check_time) must be called again; `u64::MAX` if there is none.
    fn due(&self) -> u64 {
        u64::MAX
    }
    /// Begins TLS for a `#[tls]` state. How that goes is the machine's to learn, by [`PeerAddr::secured`].
    fn begin_tls(&mut self, _: BeginTls<'_>) {}
    /// How far the handshake is that a `#[tls]` state waits for.
    fn handshake(&self) -> Handshake {
        Handshake::Over
    }
    /// Whether the stream has an end of its own, which is told to the peer also when that has ended already.
    fn is_layered(&self) -> bool {
        false
    }
    /// Whether the peer's stream has ended without having said so, so that it may be cut off.
    fn is_truncated(&self) -> bool {
        false
    }
    /// Whether the stream has something to send that it has not been given.
    fn has_unsent(&self) -> bool {
        false
    }
    /// Whether a part of a record is unread, which the stream cannot use before the rest has come.
    fn is_within_record(&self) -> bool {
        false
    }
    /// Sends what was written to a stream of datagrams as one. An error says that the peer is gone.
    fn end_datagram(&mut self) -> io::Result<()> {
        Ok(())
    }
    /// Counts the datagram that was read last as dropped.
    fn drop_datagram(&mut self) {}
    /// Forgets the peer of a stream of datagrams, unless more of these wait. Returns whether it did.
    fn leave(&mut self) -> bool {
        true
    }
    /// Leaves the datagrams that wait to a new stream.
    fn renew(&mut self) {}
    /// Makes the close that follows a reset, so that the peer does not mistake truncated output for
    /// complete output.
    fn abort(&mut self);
}

/// The result of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub(crate) bytes: usize,
    /// Nothing is left to read, and further bytes cause an event.
    pub(crate) drained: bool,
}

/// The result of sending a part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSent {
    pub(crate) bytes: usize,
    /// The socket took less than it was offered: it is full, and room causes an event, or the file ends here.
    pub(crate) cut: bool,
}

impl FileSent {
    /// The result where only another try can tell whether there is room for more.
    pub(crate) fn some(bytes: usize) -> Self {
        Self { bytes, cut: false }
    }
}

/// The settings with which a `#[tls]` state begins TLS.
#[derive(Debug)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only a stream with TLS reads it"))]
pub struct BeginTls<'a> {
    /// The settings of the pool; `None` under test.
    #[cfg(feature = "tls")]
    pub(crate) settings: Option<&'a TlsSettings>,
    /// The number of the pool's target that the connection was opened to; `None` if it was accepted.
    pub(crate) target: Option<usize>,
    /// The name of the server, if the state says it; the connection is a client then.
    pub(crate) name: Option<String>,
    /// Bytes that were read and not used. They are the beginning of the peer's handshake.
    pub(crate) unread: &'a [u8],
    /// The peer's stream has ended behind that.
    pub(crate) ended: bool,
}

/// A stream that a poll watches.
pub trait Source: Sized {
    /// Whether another process can go on with the stream.
    const CAN_MOVE: bool = false;
    /// The end of a connection whose stream says `InvalidData`.
    const FAILURE: Ended = Ended::Reset;

    /// Registers with a poll, which happens once. Does nothing for a stream in memory.
    fn register(&mut self, _: &Registry, _: Token) -> io::Result<()> {
        Ok(())
    }

    /// Deregisters from the poll. Returns the socket; `None` if there is none or the system fails.
    fn detach(self, _: &Registry) -> Option<Socket> {
        None
    }

    /// Takes what is between the connection and its socket, which moves along with the socket.
    fn take_layer(&mut self) -> Option<Box<dyn Any + Send>> {
        None
    }
}

/// A stream whose peer has an address.
pub trait PeerAddr {
    fn peer(&self) -> io::Result<Peer>;

    /// The other socket of the connection, in a machine that uses one.
    fn other(&self) -> Option<&dyn OtherAccess> {
        None
    }

    /// The TLS session of the connection.
    #[cfg(feature = "tls")]
    fn tls(&self) -> Option<TlsSession<'_>> {
        None
    }

    /// The application's own layer between the connection and its socket.
    fn layer(&self) -> Option<&dyn Any> {
        None
    }

    /// The result of the handshake that a `#[tls]` state waits for, once.
    fn secured(&self) -> Securing<'_> {
        Securing::Failed(io::ErrorKind::Unsupported.into())
    }

    /// Gives up the handshake of a `#[tls]` state that is left by its deadline.
    fn leave_tls(&self) {}
}

/// The other socket of a connection, as handlers and generated code use it during a turn.
pub trait OtherAccess {
    fn write(&self, bytes: &[u8]);
    fn send(&self, bytes: Bytes);
    fn send_file(&self, file: Arc<File>, at: u64, len: usize);
    /// The number of bytes that are queued for it.
    fn queued(&self) -> usize;
    /// Notes that a handler is called, so that its output can be told from what was queued before.
    fn begin_call(&self);
    /// Connects to `target`, or keeps a connection that is open to it.
    fn connect(&self, target: Target);
    fn connected(&self) -> Connecting;
    /// The progress of the relay; one that `begin` makes begins if there is none.
    fn relayed(&self, begin: &dyn Fn() -> Relay) -> Relaying;
    /// The numbers of bytes that the last relay has passed on.
    fn moved(&self) -> Moved;
    /// Abandons an attempt to connect, and a relay.
    fn leave(&self);
}

impl PeerAddr for Peer {
    fn peer(&self) -> io::Result<Peer> {
        Ok(*self)
    }
}
