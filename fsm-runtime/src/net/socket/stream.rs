use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Peer;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};

/// A connected socket of a poll. All that is read and written goes through mio's type, which sees to
/// the next event.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl ByteStream for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        // Windows arms the next event only when a read would block, so a short read proves nothing.
        Ok(Read { bytes: io::Read::read(&mut self.0, buffer)?, drained: false })
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    fn abort(&mut self) {
        // Without it the peer sees an early end instead of a reset: nothing else depends on it.
        let _ = socket2::SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

impl Source for Socket {
    /// Registers for reading and writing at once, so that the interest never changes again.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.0, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// The socket goes through the standard library, because mio takes it for one of its old poll
    /// otherwise.
    fn detach(mut self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(&mut self.0) {
            tracing::warn!(%error, "a connection cannot leave its poll");
            return None;
        }
        Some(Self(TcpStream::from_std(self.0.into())))
    }
}

impl PeerAddr for Socket {
    fn peer(&self) -> io::Result<Peer> {
        self.0.peer_addr().map(Peer::Tcp)
    }
}
