use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use crate::net::dial::{Dial, DialedConnection};
use crate::net::lookup::Found;
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::tls::TlsStream;
use crate::net::transport::{ByteStream, FileSent, Read};
use crate::{Moved, Peer, Target, Way};

/// The other socket of a connection, with what is pending for it between two turns. Only connections of
/// machines with a `#[connect]` state have one, in a box.
#[derive(Debug)]
pub struct OtherEnd {
    pub(crate) link: Link,
    /// The target that the machine has named in this turn.
    pub(crate) named: Option<Target>,
    /// The output that was queued when the current handler was called.
    pub(crate) queued_before: usize,
    /// The output before that for the named target, which is for the connection that is open.
    pub(crate) stale: usize,
    /// The target of the link.
    pub(crate) target: Option<Target>,
    pub(crate) state: StreamState,
    /// Input that was read and not used.
    pub(crate) input: Vec<u8>,
    /// Output that the socket has not taken.
    pub(crate) output: UnsentOutput,
    /// The relay of a `#[relay]` state.
    pub(crate) relay: Option<Relay>,
    /// The numbers of bytes that the last relay has passed on, once its state was left.
    pub(crate) moved: Moved,
    /// In a state that waits for both sockets, whether the read of this one comes next.
    pub(crate) runs_next: bool,
    /// The same for reading from the sockets.
    pub(crate) reads_next: bool,
    /// The connection has broken in this turn.
    pub(crate) breaks: bool,
}

impl Default for OtherEnd {
    fn default() -> Self {
        Self {
            link: Link::Closed,
            named: None,
            queued_before: 0,
            stale: 0,
            target: None,
            state: StreamState::NEW,
            input: Vec::new(),
            output: UnsentOutput::default(),
            relay: None,
            moved: Moved::default(),
            runs_next: false,
            reads_next: false,
            breaks: false,
        }
    }
}

/// The progress of connecting to the target.
#[derive(Debug)]
pub(crate) enum Link {
    /// There is no connection, and none is on its way.
    Closed,
    /// The addresses of a name are looked up.
    Lookup(Arc<Found>),
    Dial(Box<Dial>),
    /// The connection is there, and the TLS handshake goes on.
    #[cfg(feature = "tls")]
    Handshake(TlsStream<Socket>, Peer),
    /// A test decides.
    Simulated,
    /// It has failed, and the machine does not know yet.
    Failed(io::Error),
    Open {
        stream: OtherStream,
        peer: Peer,
        /// Whether the connection was there before, until the machine knows.
        news: Option<bool>,
    },
}

impl Link {
    /// An open connection, which has just come about.
    pub(crate) fn won(won: DialedConnection) -> Self {
        let DialedConnection { socket, peer } = won;
        Self::Open { stream: OtherStream::Socket(socket), peer, news: Some(false) }
    }

    /// The same, encrypted.
    #[cfg(feature = "tls")]
    pub(crate) fn encrypted(stream: TlsStream<Socket>, peer: Peer) -> Self {
        Self::Open { stream: OtherStream::Encrypted(stream), peer, news: Some(false) }
    }

    /// The same, in a test.
    pub(crate) fn simulated(stream: Box<dyn SimulatedStream>) -> Self {
        let stream = OtherStream::Simulated(stream);
        Self::Open { stream, peer: Peer::Memory, news: Some(false) }
    }

    /// Whether a connection has just come about.
    pub(crate) fn is_new(&self) -> bool {
        match self {
            #[cfg(feature = "tls")]
            Self::Handshake(..) => true,
            // The handshake before has used what events have reported.
            #[cfg(feature = "tls")]
            Self::Open { stream: OtherStream::Encrypted(_), .. } => false,
            Self::Open { .. } => true,
            _ => false,
        }
    }

    /// Lets the machine know that the connection is the one that was there before.
    pub(crate) fn reuse(&mut self) {
        if let Self::Open { news, .. } = self {
            *news = Some(true);
        }
    }
}

/// A test that takes the part of those who are connected to.
pub(crate) trait TestWorld: Send + Sync {
    /// Notes the target that the machine connects to.
    fn request(&self, target: Target);

    /// The end of the attempt, once the test has decided.
    fn decision(&self) -> Option<io::Result<Box<dyn SimulatedStream>>>;
}

/// The stream of the other side: a socket, or a pipe of a test.
#[derive(Debug)]
pub(crate) enum OtherStream {
    Socket(Socket),
    #[cfg(feature = "tls")]
    Encrypted(TlsStream<Socket>),
    Simulated(Box<dyn SimulatedStream>),
}

/// A stream of a test.
pub(crate) trait SimulatedStream: Send + std::fmt::Debug {
    fn stream(&mut self) -> &mut dyn ByteStream;
}

impl OtherStream {
    fn stream(&mut self) -> &mut dyn ByteStream {
        match self {
            Self::Socket(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Encrypted(stream) => stream,
            Self::Simulated(stream) => stream.stream(),
        }
    }
}

impl ByteStream for OtherStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        self.stream().read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream().write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream().write_vectored(slices)
    }

    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream().write_before_file(slices)
    }

    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        self.stream().send_file(file, at, most)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.stream().shutdown()
    }

    fn drive(&mut self, state: &mut StreamState) -> io::Result<()> {
        self.stream().drive(state)
    }

    fn is_layered(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Simulated(_) => false,
            #[cfg(feature = "tls")]
            Self::Encrypted(_) => true,
        }
    }

    fn is_truncated(&self) -> bool {
        match self {
            Self::Socket(_) | Self::Simulated(_) => false,
            #[cfg(feature = "tls")]
            Self::Encrypted(stream) => stream.is_truncated(),
        }
    }

    fn abort(&mut self) {
        self.stream().abort();
    }
}

/// The progress of a relay.
#[derive(Debug)]
pub struct Relay {
    pub(crate) way: Way,
    pub(crate) out: Passage,
    pub(crate) back: Passage,
    /// The most bytes that wait on each side.
    pub(crate) max: usize,
    /// How it has ended, once it has.
    pub(crate) end: Option<RelayEnd>,
}

/// The progress of a relay in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passage {
    /// The bytes that are still to be passed on; `None` if the end of the stream ends them.
    pub(crate) left: Option<u64>,
    pub(crate) moved: u64,
    /// The end of the stream was passed on.
    pub(crate) ended: bool,
}

/// How a relay has ended.
#[derive(Debug)]
pub(crate) enum RelayEnd {
    /// All that it is for was passed on.
    Done,
    /// The stream has ended before the number of bytes was there.
    Eof,
    /// The other connection is broken.
    Gone,
}

impl Relay {
    /// A relay of `exact` bytes, or of all until the end of the stream.
    pub(crate) fn new(way: Way, exact: Option<u64>, max: usize) -> Self {
        let passage = Passage { left: exact, moved: 0, ended: false };
        let end = (exact == Some(0)).then_some(RelayEnd::Done);
        Self { way, out: passage, back: passage, max, end }
    }

    pub(crate) fn moved(&self) -> Moved {
        Moved { out: self.out.moved, back: self.back.moved }
    }
}

impl OtherEnd {
    /// Whether the connection to the other side is open.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.link, Link::Open { .. })
    }

    pub(crate) fn is_open_to(&self, target: &Target) -> bool {
        let ended = self.state.has_ended() || self.state.is_shut();
        self.is_open() && self.target.as_ref() == Some(target) && !ended
    }

    /// Closes it. With `abort` its peer sees a reset, so that it does not take what it has got for the whole.
    pub(crate) fn close(&mut self, abort: bool) {
        if let Link::Open { stream, .. } = &mut self.link {
            if abort {
                stream.abort();
            } else if stream.is_layered() && !self.state.is_shut() {
                // The system's own end follows in any case.
                let _ = stream.shutdown();
            }
        }
        *self = Self { moved: self.moved, ..Self::default() };
    }

    /// Whether there is something to do in another turn that no event tells of: files have had their share of this one,
    /// or the connection has broken at its end, because a file cannot be sent.
    pub(crate) fn goes_on(&self) -> bool {
        let sends = self.is_open() && self.named.is_none() && self.state.is_writable();
        self.breaks || (sends && self.output.len() > 0)
    }

    /// The time at which it has something to do without an event.
    pub(crate) fn due(&self) -> u64 {
        match &self.link {
            Link::Dial(dial) => dial.due(),
            _ => u64::MAX,
        }
    }
}
