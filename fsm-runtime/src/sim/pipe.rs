use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;

#[cfg(feature = "tls")]
use super::tls::SimulatedTls;
use crate::Peer;
#[cfg(feature = "tls")]
use crate::TlsSession;
use crate::net::readiness::Readiness;
#[cfg(feature = "tls")]
use crate::net::securing::{Handshake, Securing};
#[cfg(feature = "tls")]
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::transport::BeginTls;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};

/// The two streams between a test and a machine.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) to_machine: RefCell<VecDeque<u8>>,
    pub(crate) to_peer: RefCell<Vec<u8>>,
    /// The number of bytes that the peer takes before the test must receive them.
    pub(crate) window: Cell<usize>,
    /// The peer has ended its stream.
    pub(crate) ended: Cell<bool>,
    /// The peer has reset the connection.
    pub(crate) reset: Cell<bool>,
    /// The machine's side has ended its stream.
    pub(crate) shut: Cell<bool>,
    #[cfg(feature = "tls")]
    pub(super) tls: SimulatedTls,
    /// The events that the peer causes in a turn of the machine, for the next round.
    pub(crate) events: Rc<Cell<Readiness>>,
    /// The datagrams, in place of streams, of a machine that reads these.
    pub(crate) datagrams: Option<Datagrams>,
}

/// The datagrams between a test and a machine.
#[derive(Debug, Default)]
pub(crate) struct Datagrams {
    pub(crate) to_machine: RefCell<VecDeque<Vec<u8>>>,
    pub(crate) to_peer: RefCell<VecDeque<Vec<u8>>>,
}

impl Datagrams {
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
            to_machine: RefCell::default(),
            to_peer: RefCell::default(),
            window: Cell::new(usize::MAX),
            ended: Cell::new(false),
            reset: Cell::new(false),
            shut: Cell::new(false),
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
        if self.0.reset.get() {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if let Some(datagrams) = &self.0.datagrams {
            return datagrams.read(buffer);
        }
        let mut bytes = self.0.to_machine.borrow_mut();
        #[cfg(feature = "tls")]
        self.0.tls.check()?;
        if bytes.is_empty() && !self.0.ended.get() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = io::Read::read(&mut *bytes, buffer)?;
        Ok(Read { bytes: read, drained: read < buffer.len() })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.reset.get() || self.0.shut.get() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        #[cfg(feature = "tls")]
        self.0.tls.check()?;
        let mut received = self.0.to_peer.borrow_mut();
        let room = self.0.window.get().saturating_sub(received.len());
        if room == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(room);
        received.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        slices.iter().find(|slice| !slice.is_empty()).map_or(Ok(0), |slice| self.write(slice))
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.0.shut.set(true);
        Ok(())
    }

    /// The peer closes, as most clients do that see the end of the stream.
    fn linger(&mut self) {
        self.0.ended.set(true);
        self.0.events.set(Readiness::READ | Readiness::MAYBE_EOF);
    }

    fn end_datagram(&mut self) -> io::Result<()> {
        let Some(datagrams) = &self.0.datagrams else { return Ok(()) };
        let sent = self.0.to_peer.take();
        if !sent.is_empty() {
            datagrams.to_peer.borrow_mut().push_back(sent);
        }
        Ok(())
    }

    fn abort(&mut self) {}

    #[cfg(feature = "tls")]
    fn begin_tls(&mut self, begin: BeginTls<'_>) {
        self.0.tls.begin();
        self.0.to_machine.borrow_mut().extend(begin.unread);
        self.0.ended.set(self.0.ended.get() || begin.ended);
    }

    #[cfg(feature = "tls")]
    fn handshake(&self) -> Handshake {
        self.0.tls.handshake()
    }

    #[cfg(feature = "tls")]
    fn drive(&mut self, _: &mut StreamState) -> io::Result<()> {
        self.0.tls.drive(!self.0.to_machine.borrow().is_empty(), self.0.ended.get())
    }
}

impl Source for PipeEnd {}

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
