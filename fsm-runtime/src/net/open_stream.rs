use std::io;

use crate::net::socket::Socket;

/// A connection that other code has opened or accepted, for [`Handle::adopt`](crate::Handle::adopt). It is made
/// from a stream of the standard library; on Unix also from the descriptor of a pipe or a terminal, where the
/// system polls these (Linux does).
#[derive(Debug)]
pub struct OpenStream(Open);

#[derive(Debug)]
enum Open {
    Tcp(std::net::TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
    #[cfg(unix)]
    File(std::os::fd::OwnedFd),
}

impl OpenStream {
    /// Makes a socket of a pool of it.
    pub(crate) fn into_socket(self) -> io::Result<Socket> {
        match self.0 {
            Open::Tcp(stream) => {
                stream.set_nonblocking(true)?;
                stream.set_nodelay(true)?;
                Ok(mio::net::TcpStream::from_std(stream).into())
            }
            #[cfg(unix)]
            Open::Unix(stream) => {
                stream.set_nonblocking(true)?;
                Ok(mio::net::UnixStream::from_std(stream).into())
            }
            #[cfg(unix)]
            Open::File(file) => {
                rustix::io::ioctl_fionbio(&file, true)?;
                Ok(file.into())
            }
        }
    }
}

impl From<std::net::TcpStream> for OpenStream {
    fn from(stream: std::net::TcpStream) -> Self {
        Self(Open::Tcp(stream))
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixStream> for OpenStream {
    fn from(stream: std::os::unix::net::UnixStream) -> Self {
        Self(Open::Unix(stream))
    }
}

/// A pipe or a terminal. Reads and writes go through this one descriptor.
#[cfg(unix)]
impl From<std::os::fd::OwnedFd> for OpenStream {
    fn from(file: std::os::fd::OwnedFd) -> Self {
        Self(Open::File(file))
    }
}
