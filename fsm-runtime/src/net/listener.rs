use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};

use mio::net::TcpListener;
#[cfg(unix)]
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::net::socket::Socket;
use crate::{Address, Peer, PoolError};

/// Whether several listeners can share an address. Where the system has the option but does not
/// spread connections, there is no use in it.
pub(crate) const SHARES: bool =
    cfg!(any(target_os = "linux", target_os = "android", target_vendor = "apple"));

/// A listening socket.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener, SocketFile),
}

impl Listener {
    /// Binds to an address, which may be `shared` with others that say so too.
    pub(crate) fn bind(address: &Address, backlog: i32, shared: bool) -> Result<Self, PoolError> {
        match address {
            Address::Tcp(socket) => bind_tcp(*socket, backlog, shared).map(Self::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => {
                bind_unix(path, backlog).map(|(listener, file)| Self::Unix(listener, file))
            }
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
        .map_err(PoolError::binding(address))
    }

    /// Where it listens; with the port that the system chose.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            Self::Unix(_, file) => Ok(Address::Unix(file.path.clone())),
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            #[cfg(unix)]
            Self::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
        }
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                Ok((stream.into(), Peer::Tcp(address)))
            }
            #[cfg(unix)]
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                Ok((stream.into(), Peer::Unix))
            }
        }
    }
}

/// A Unix socket's file, which goes with the listener; but not the file of another one that has
/// taken its place.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

#[cfg(unix)]
impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The device and the number of a file.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

fn bind_tcp(address: SocketAddr, backlog: i32, shared: bool) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows the option of this name would let two processes share the address.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    socket.set_reuse_port(shared)?;
    // Accepted sockets inherit it, on all systems that we know. All answers of a turn leave in one
    // send, so there is nothing that a delay could join.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(backlog)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(unix)]
fn bind_unix(path: &Path, backlog: i32) -> io::Result<(UnixListener, SocketFile)> {
    remove_dead(path)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::new(path)?;
    socket.listen(backlog)?;
    Ok((UnixListener::from_std(socket.into()), file))
}

/// Removes the socket file of a process that is gone; nothing else.
#[cfg(unix)]
fn remove_dead(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;

    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => return Ok(()),
    }
    // A server that is there but does not accept must not keep us waiting.
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}
