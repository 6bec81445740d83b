use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;

#[cfg(feature = "tls")]
use super::tls::SimulatedTls;
#[cfg(feature = "tls")]
use crate::TlsSession;
use crate::net::memory::MemoryStream;
use crate::net::readiness::Readiness;
#[cfg(feature = "tls")]
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::tls_progress::{Handshake, Securing};
#[cfg(feature = "tls")]
use crate::net::transport::BeginTls;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};
use crate::{Ended, Peer};

/// The two streams between a test and a machine.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) stream: RefCell<MemoryStream>,
    #[cfg(feature = "tls")]
    pub(super) tls: SimulatedTls,
    /// The events that the peer causes in a turn of the machine, for the next round.
    pub(crate) events: Rc<Cell<Readiness>>,
    /// The datagrams, in place of streams, of a machine that reads these.
    pub(crate) datagrams: Option<DatagramQueues>,
}

/// The datagrams between a test and a machine.
#[derive(Debug, Default)]
pub(crate) struct DatagramQueues {
    pub(crate) to_machine: RefCell<VecDeque<Vec<u8>>>,
    pub(crate) to_peer: RefCell<VecDeque<Vec<u8>>>,
}

impl DatagramQueues {
    fn read(&self, buffer: &mut [u8]) -> io::Result<Read> {
        let mut waiting = self.to_machine.borrow_mut();
        let datagram = waiting.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        buffer[..datagram.len()].copy_from_slice(&datagram);
        Ok(Read { bytes: datagram.len(), drained: waiting.is_empty() })
    }
}

impl Pipe {
    pub(crate) fn new() -> Self {
        Self {
            stream: RefCell::new(MemoryStream::new(usize::MAX)),
            #[cfg(feature = "tls")]
            tls: SimulatedTls::default(),
            events: Rc::default(),
            datagrams: None,
        }
    }
}

/// The machine's end of a pipe.
#[derive(Debug)]
pub(crate) struct PipeEnd(pub(crate) Rc<Pipe>);

impl ByteStream for PipeEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        let mut stream = self.0.stream.borrow_mut();
        if let Some(datagrams) = self.0.datagrams.as_ref().filter(|_| !stream.reset) {
            return datagrams.read(buffer);
        }
        #[cfg(feature = "tls")]
        if !stream.reset {
            self.0.tls.check()?;
        }
        stream.read(buffer)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stream = self.0.stream.borrow_mut();
        #[cfg(feature = "tls")]
        if !stream.reset && !stream.shut {
            self.0.tls.check()?;
        }
        stream.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().find(|slice| !slice.is_empty()).map_or(Ok(0), |slice| self.write(slice))
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.0.stream.borrow_mut().shutdown()
    }

    /// The peer closes, as most clients do that see the end of the stream.
    fn linger(&mut self) {
        self.0.stream.borrow_mut().ended = true;
        self.0.events.set(Readiness::READ | Readiness::MAYBE_EOF);
    }

    fn end_datagram(&mut self) -> io::Result<()> {
        let Some(datagrams) = &self.0.datagrams else { return Ok(()) };
        let sent = self.0.stream.borrow_mut().take_unsent();
        if !sent.is_empty() {
            datagrams.to_peer.borrow_mut().push_back(sent);
        }
        Ok(())
    }

    fn abort(&mut self) {
        self.0.stream.borrow_mut().abort();
    }

    #[cfg(feature = "tls")]
    fn begin_tls(&mut self, begin: BeginTls<'_>) {
        self.0.tls.begin(begin.name);
        let mut stream = self.0.stream.borrow_mut();
        stream.feed(begin.unread);
        stream.ended |= begin.ended;
    }

    #[cfg(feature = "tls")]
    fn handshake(&self) -> Handshake {
        self.0.tls.handshake()
    }

    #[cfg(feature = "tls")]
    fn drive(&mut self, _: &mut StreamState) -> io::Result<()> {
        let stream = self.0.stream.borrow();
        self.0.tls.drive(stream.unread() > 0, stream.ended)
    }
}

impl Source for PipeEnd {
    const FAILURE: Ended = Ended::TlsFailed;
}

impl PeerAddr for PipeEnd {
    fn peer(&self) -> io::Result<Peer> {
        Ok(Peer::Memory)
    }

    #[cfg(feature = "tls")]
    fn tls(&self) -> Option<TlsSession<'_>> {
        self.0.tls.session()
    }

    #[cfg(feature = "tls")]
    fn secured(&self) -> Securing<'_> {
        self.0.tls.secured()
    }

    #[cfg(feature = "tls")]
    fn leave_tls(&self) {
        self.0.tls.leave();
    }
}
