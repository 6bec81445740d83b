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
use crate::{Ended, Moved, Peer, Target, Way};

/// The other socket of a connection, with what is pending for it between two turns. Only connections of
/// machines with a `#[connect]` state have one, in a box.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
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
    /// The last turn has sent output.
    pub(crate) has_sent: bool,
    /// Why the connection ends, once the first socket has nothing left to do.
    pub(crate) closes: Option<Ended>,
    /// The time by which its peer must have taken some of the output or, while the connection closes, have ended its
    /// stream, in milliseconds of the pool's clock; `u64::MAX` if it is not set.
    pub(crate) send_by: u64,
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
            has_sent: false,
            closes: None,
            send_by: u64::MAX,
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
    /// It was open, and its peer has not taken output in time. Output to it is dropped until the machine connects
    /// again.
    Lost,
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
    fn stream(&self) -> &dyn ByteStream;
    fn stream_mut(&mut self) -> &mut dyn ByteStream;
}

impl OtherStream {
    fn stream(&self) -> &dyn ByteStream {
        match self {
            Self::Socket(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Encrypted(stream) => stream,
            Self::Simulated(stream) => stream.stream(),
        }
    }

    fn stream_mut(&mut self) -> &mut dyn ByteStream {
        match self {
            Self::Socket(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Encrypted(stream) => stream,
            Self::Simulated(stream) => stream.stream_mut(),
        }
    }
}

impl ByteStream for OtherStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        self.stream_mut().read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream_mut().write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream_mut().write_vectored(slices)
    }

    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream_mut().write_before_file(slices)
    }

    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        self.stream_mut().send_file(file, at, most)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.stream_mut().shutdown()
    }

    fn drive(&mut self, state: &mut StreamState) -> io::Result<()> {
        self.stream_mut().drive(state)
    }

    fn goes_on(&self, state: StreamState) -> bool {
        self.stream().goes_on(state)
    }

    fn check_time(&mut self, now: u64, within: u64) -> io::Result<()> {
        self.stream_mut().check_time(now, within)
    }

    fn due(&self) -> u64 {
        self.stream().due()
    }

    fn linger(&mut self) {
        self.stream_mut().linger();
    }

    fn is_layered(&self) -> bool {
        self.stream().is_layered()
    }

    fn is_truncated(&self) -> bool {
        self.stream().is_truncated()
    }

    fn has_unsent(&self) -> bool {
        self.stream().has_unsent()
    }

    fn is_within_record(&self) -> bool {
        self.stream().is_within_record()
    }

    fn abort(&mut self) {
        self.stream_mut().abort();
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

    /// Whether the other connection is broken, and the first peer gets what comes from it.
    pub(crate) fn cuts_off_the_first(&self) -> bool {
        self.way != Way::Out && matches!(self.end, Some(RelayEnd::Gone))
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

    /// Whether output is on its way to the peer.
    pub(crate) fn sends(&self) -> bool {
        self.is_open() && self.output.len() > 0
    }

    /// Whether there is something to do in another turn that no event tells of: files have had their share of this one,
    /// TLS has more to read, or the connection has broken at the end of the turn.
    pub(crate) fn goes_on(&self) -> bool {
        let goes_on = match &self.link {
            #[cfg(feature = "tls")]
            Link::Handshake(stream, _) => stream.goes_on(self.state),
            Link::Open { stream, .. } => {
                let sends = self.named.is_none() && self.state.is_writable();
                stream.goes_on(self.state) || (sends && self.output.len() > 0)
            }
            _ => false,
        };
        self.breaks || goes_on
    }

    /// The time at which it has something to do without an event.
    pub(crate) fn due(&self) -> u64 {
        match &self.link {
            Link::Dial(dial) => dial.due(),
            #[cfg(feature = "tls")]
            Link::Handshake(stream, _) => stream.due(),
            Link::Open { stream, .. } => self.send_by.min(stream.due()),
            _ => u64::MAX,
        }
    }
}
