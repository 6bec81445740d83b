#[cfg(not(any(target_os = "linux", target_os = "android")))]
use std::io::Read;
use std::io::{self, IoSlice, Write};
use std::net::Shutdown;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::net::{RecvFlags, SendFlags};

use crate::Peer;
use crate::transport::Transport;

/// A connected socket of a poll.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

/// On Linux the two calls that are made for every request go to the kernel directly: the C library's
/// would first see to it that the thread can be cancelled there, which costs more than the rest of them.
#[cfg(any(target_os = "linux", target_os = "android"))]
impl AsFd for Socket {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Transport for Socket {
    #[inline]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let (_, read) = rustix::net::recv(self, buffer, RecvFlags::empty())?;
        Ok(read)
    }

    #[inline]
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).read(buffer),
        }
    }

    #[expect(clippy::inline_always, reason = "counted: the call is half of what it costs")]
    #[inline(always)]
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self, bytes, SendFlags::NOSIGNAL)?)
    }

    #[inline]
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&mut &*stream).write_vectored(slices),
            #[cfg(unix)]
            Self::Unix(stream) => (&mut &*stream).write_vectored(slices),
        }
    }

    fn shutdown(&self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        }
    }

    fn abort(&self) {
        if let Self::Tcp(stream) = self {
            // Without it the peer sees an early end instead of a reset: nothing else depends on it.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    fn peer(&self) -> io::Result<Peer> {
        match self {
            Self::Tcp(stream) => stream.peer_addr().map(Peer::Tcp),
            #[cfg(unix)]
            Self::Unix(_) => Ok(Peer::Unix),
        }
    }

    /// Registers for reading and writing at once: it is never changed again.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        // Urgent data makes a read short although there is more behind it.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = both | Interest::PRIORITY;
        match self {
            Self::Tcp(stream) => registry.register(stream, token, both),
            #[cfg(unix)]
            Self::Unix(stream) => registry.register(stream, token, both),
        }
    }

    /// Its way leads through the standard library, or mio would take it for one of its old poll.
    fn free(mut self, registry: &Registry) -> Option<Socket> {
        let left = match &mut self {
            Self::Tcp(stream) => registry.deregister(stream),
            #[cfg(unix)]
            Self::Unix(stream) => registry.deregister(stream),
        };
        if let Err(error) = left {
            tracing::warn!(%error, "a connection cannot leave its poll");
            return None;
        }
        Some(match self {
            Self::Tcp(stream) => Self::Tcp(TcpStream::from_std(stream.into())),
            #[cfg(unix)]
            Self::Unix(stream) => Self::Unix(UnixStream::from_std(stream.into())),
        })
    }
}
