use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::event;
use mio::net::{TcpStream, UdpSocket};
use mio::{Interest, Registry, Token};

use super::any_port;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};
use crate::{Address, Peer};

/// A connected socket of a poll. All reads and writes go through mio's type, because it arms the
/// next event.
#[derive(Debug)]
pub struct Socket(SocketKind);

#[derive(Debug)]
enum SocketKind {
    Tcp(TcpStream),
    Udp(UdpSocket),
}

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(SocketKind::Tcp(stream))
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
            Address::Udp(address) => {
                let socket = UdpSocket::bind(any_port(*address))?;
                socket.connect(*address)?;
                Ok(Self(SocketKind::Udp(socket)))
            }
            Address::Unix(_) | Address::Passed(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Whether the connection is there; an error if it will not come. An event can come before either
    /// (pitfall 6).
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        let (error, peer, own) = match &self.0 {
            SocketKind::Tcp(stream) => {
                (stream.take_error()?, stream.peer_addr(), stream.local_addr())
            }
            SocketKind::Udp(socket) => {
                (socket.take_error()?, socket.peer_addr(), socket.local_addr())
            }
        };
        if let Some(error) = error {
            return Err(error);
        }
        match peer {
            // A socket that finds nobody at a port of this machine can connect to itself.
            Ok(peer) if own.is_ok_and(|own| own == peer) => {
                Err(io::ErrorKind::ConnectionRefused.into())
            }
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Registers a socket of datagrams, which waits for no room.
    pub(crate) fn register_datagrams(
        &mut self,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        registry.register(self.source(), token, Interest::READABLE)
    }

    fn source(&mut self) -> &mut dyn event::Source {
        match &mut self.0 {
            SocketKind::Tcp(stream) => stream,
            SocketKind::Udp(socket) => socket,
        }
    }
}

impl ByteStream for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        // mio arms the next event on Windows only when a read would block, so `drained` is false
        // after a short read, too.
        let bytes = match &mut self.0 {
            SocketKind::Tcp(stream) => io::Read::read(stream, buffer)?,
            SocketKind::Udp(socket) => socket.recv(buffer)?,
        };
        Ok(Read { bytes, drained: false })
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            SocketKind::Tcp(stream) => stream.write(bytes),
            SocketKind::Udp(socket) => socket.send(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.0 {
            SocketKind::Tcp(stream) => stream.write_vectored(slices),
            SocketKind::Udp(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        match &self.0 {
            SocketKind::Tcp(stream) => stream.shutdown(Shutdown::Write),
            SocketKind::Udp(_) => Ok(()),
        }
    }

    fn abort(&mut self) {
        if let SocketKind::Tcp(stream) = &self.0 {
            // An error is ignored, because the close then only looks like a regular end to the peer.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Source for Socket {
    /// Registers for reading and writing, so that the registration never changes.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(self.source(), token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Converts the socket through the standard library's type, because mio otherwise refuses to
    /// register it with another poll.
    fn detach(mut self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(self.source()) {
            crate::log::warn!(%error, "cannot deregister a connection from its poll");
            return None;
        }
        Some(Self(match self.0 {
            SocketKind::Tcp(stream) => SocketKind::Tcp(TcpStream::from_std(stream.into())),
            SocketKind::Udp(socket) => SocketKind::Udp(UdpSocket::from_std(socket.into())),
        }))
    }
}

impl PeerAddr for Socket {
    fn peer(&self) -> io::Result<Peer> {
        match &self.0 {
            SocketKind::Tcp(stream) => stream.peer_addr().map(Peer::Tcp),
            SocketKind::Udp(socket) => socket.peer_addr().map(Peer::Udp),
        }
    }
}
