use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::Peer;
use crate::net::transport::Transport;

/// A connected socket of a poll. All that is read and written goes through mio's type, which sees to
/// the next event.
#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl Transport for Socket {
    #[inline]
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        (&self.0).read(buffer)
    }

    #[inline]
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        (&self.0).write(bytes)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&self.0).write_vectored(slices)
    }

    fn shutdown(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    fn abort(&self) {
        // Without it the peer sees an early end instead of a reset: nothing else depends on it.
        let _ = socket2::SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }

    fn peer(&self) -> io::Result<Peer> {
        self.0.peer_addr().map(Peer::Tcp)
    }

    /// For reading and writing at once: it is never changed again.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.0, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Its way leads through the standard library, or mio would take it for one of its old poll.
    fn free(mut self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(&mut self.0) {
            tracing::warn!(%error, "a connection cannot leave its poll");
            return None;
        }
        Some(Self(TcpStream::from_std(self.0.into())))
    }
}
