use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::net::transport::{ByteStream, PeerAddr, Read, Source};
use crate::{Address, Peer};

/// A connected socket of a poll. All reads and writes go through mio's type, because it arms the
/// next event.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(stream)
    }
}

impl Socket {
    /// Begins to connect. An event reports that [`is_connected`](Self::is_connected) may have changed.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
            Address::Unix(_) | Address::Passed(_) | Address::Udp(_) => {
                Err(io::ErrorKind::Unsupported.into())
            }
        }
    }

    /// Whether the connection is there; an error if it will not come. An event can come before either
    /// (pitfall 6).
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        match self.0.peer_addr() {
            // A socket that finds nobody at a port of this machine can connect to itself.
            Ok(peer) if self.0.local_addr().is_ok_and(|own| own == peer) => {
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl ByteStream for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        // mio arms the next event on Windows only when a read would block, so `drained` is false
        // after a short read, too.
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
        // An error is ignored, because the close then only looks like a regular end to the peer.
        let _ = socket2::SockRef::from(&self.0).set_linger(Some(Duration::ZERO));
    }
}

impl Source for Socket {
    /// Registers for reading and writing, so that the registration never changes.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.0, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Converts the socket through the standard library's type, because mio otherwise refuses to
    /// register it with another poll.
    fn detach(mut self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(&mut self.0) {
            crate::log::warn!(%error, "cannot deregister a connection from its poll");
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
