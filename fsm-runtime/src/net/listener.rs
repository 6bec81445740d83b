use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};

use mio::net::TcpListener;
#[cfg(unix)]
use mio::net::UnixListener;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::net::socket::Socket;
use crate::{Address, Peer, PoolError};

/// Whether several listeners can share an address and its connections (`SO_REUSEPORT`). Systems
/// that have the option but give all connections to one listener do not count.
pub(crate) const CAN_SHARE_ADDRESS: bool =
    cfg!(any(target_os = "linux", target_os = "android", target_vendor = "apple"));

/// A listening socket of a port.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: ListenerSocket,
    /// The file of a Unix socket that the pool has made, or that it has inherited.
    #[cfg(unix)]
    file: Option<SocketFile>,
    /// Other ports have listeners of their own for the same address.
    is_shared: bool,
    /// Its connections stay plain in a pool that encrypts.
    is_plain: bool,
}

#[derive(Debug)]
enum ListenerSocket {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// An accepted socket.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    /// The connection stays on the port that has accepted it, because others accept their own.
    pub(crate) stays: bool,
    pub(crate) origin: SocketOrigin,
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOrigin {
    /// It was accepted, or another pool or program has handed it in. A `plain` one stays so in a pool that
    /// encrypts.
    Accepted { plain: bool },
    /// The pool has opened it, to the target with this number.
    Opened { target: usize },
}

impl SocketOrigin {
    /// The number of the target, if the pool has opened the connection itself.
    pub(crate) fn target(self) -> Option<usize> {
        match self {
            Self::Accepted { .. } => None,
            Self::Opened { target } => Some(target),
        }
    }
}

impl Listener {
    /// Binds to an address and listens. Several listeners can bind to one address if all of them
    /// are `shared`.
    pub(crate) fn bind(address: &Address, backlog: i32, shared: bool) -> Result<Self, PoolError> {
        match address {
            Address::Tcp(socket) => bind_tcp(*socket, backlog, shared)
                .map(|listener| Self::new(ListenerSocket::Tcp(listener), shared)),
            #[cfg(unix)]
            Address::Unix(path) => bind_unix(path, backlog).map(|(listener, file)| Self {
                file: Some(file),
                ..Self::new(ListenerSocket::Unix(listener), false)
            }),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
            // Sockets that were passed are adopted, and those of datagrams are no listeners.
            Address::Passed(_) | Address::Udp(_) => Err(io::ErrorKind::Unsupported.into()),
        }
        .map_err(PoolError::binding(address))
    }

    fn new(socket: ListenerSocket, is_shared: bool) -> Self {
        #[cfg(unix)]
        let listener = Self { socket, file: None, is_shared, is_plain: false };
        #[cfg(not(unix))]
        let listener = Self { socket, is_shared, is_plain: false };
        listener
    }

    /// Says whether its connections stay plain in a pool that encrypts.
    pub(crate) fn plain(self, is_plain: bool) -> Self {
        Self { is_plain, ..self }
    }

    /// Uses a socket that listens already.
    pub(crate) fn adopt(socket: &ListeningSocket) -> io::Result<Self> {
        let socket = match &socket.0 {
            SystemListener::Tcp(listener) => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                // As for a listener of our own.
                socket2::SockRef::from(&listener).set_tcp_nodelay(true)?;
                ListenerSocket::Tcp(TcpListener::from_std(listener))
            }
            #[cfg(unix)]
            SystemListener::Unix(listener) => {
                let listener = listener.try_clone()?;
                listener.set_nonblocking(true)?;
                ListenerSocket::Unix(UnixListener::from_std(listener))
            }
        };
        Ok(Self::new(socket, false))
    }

    /// Uses a socket that the process before this one has listened on, and its file, which it removes in the end if
    /// that process has left it by then.
    #[cfg(unix)]
    pub(crate) fn inherit(socket: &ListeningSocket, files: &FilesLeft) -> io::Result<Self> {
        let listener = Self::adopt(socket)?;
        if let Ok(Address::Unix(path)) = listener.address() {
            return Ok(Self { file: SocketFile::new(&path, files.clone()).ok(), ..listener });
        }
        Ok(listener)
    }

    /// A copy that lasts as long as the system's socket.
    pub(crate) fn copy(&self) -> io::Result<ListeningSocket> {
        #[cfg(unix)]
        return {
            use std::os::fd::AsFd;
            Ok(match &self.socket {
                ListenerSocket::Tcp(it) => {
                    std::net::TcpListener::from(it.as_fd().try_clone_to_owned()?).into()
                }
                ListenerSocket::Unix(it) => {
                    std::os::unix::net::UnixListener::from(it.as_fd().try_clone_to_owned()?).into()
                }
            })
        };
        #[cfg(not(unix))]
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Leaves the file of a Unix socket to the process after this one.
    pub(crate) fn leave_file(&mut self) {
        #[cfg(unix)]
        if let Some(file) = self.file.take() {
            file.leave();
        }
    }

    /// The address that it listens on, with the port that the system chose for port 0.
    pub(crate) fn address(&self) -> io::Result<Address> {
        match &self.socket {
            ListenerSocket::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            #[cfg(unix)]
            ListenerSocket::Unix(listener) => {
                let path = match &self.file {
                    Some(file) => file.path.clone(),
                    // One without a file has no path.
                    None => {
                        listener.local_addr()?.as_pathname().map(Path::to_owned).unwrap_or_default()
                    }
                };
                Ok(Address::Unix(path))
            }
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match &mut self.socket {
            ListenerSocket::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            #[cfg(unix)]
            ListenerSocket::Unix(listener) => {
                registry.register(listener, token, Interest::READABLE)
            }
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Accepted> {
        let (socket, peer) = match &self.socket {
            ListenerSocket::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                (stream.into(), Peer::Tcp(address))
            }
            #[cfg(unix)]
            ListenerSocket::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                (stream.into(), Peer::Unix)
            }
        };
        Ok(Accepted {
            socket,
            peer,
            stays: self.is_shared,
            origin: SocketOrigin::Accepted { plain: self.is_plain },
        })
    }
}

/// A socket that listens already, for [`Builder::listener`](crate::Builder::listener). It is made from a
/// listener of the standard library.
#[derive(Debug)]
pub struct ListeningSocket(SystemListener);

#[derive(Debug)]
enum SystemListener {
    Tcp(std::net::TcpListener),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl ListeningSocket {
    /// Whether connections can come; `true` where the system does not tell.
    pub(crate) fn listens(&self) -> io::Result<bool> {
        #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
        return match &self.0 {
            SystemListener::Tcp(listener) => socket2::SockRef::from(listener).is_listener(),
            SystemListener::Unix(listener) => socket2::SockRef::from(listener).is_listener(),
        };
        #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
        Ok(true)
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for ListeningSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        match &self.0 {
            SystemListener::Tcp(listener) => listener.as_fd(),
            SystemListener::Unix(listener) => listener.as_fd(),
        }
    }
}

/// Makes one of a descriptor that another process has sent.
#[cfg(unix)]
impl TryFrom<std::os::fd::OwnedFd> for ListeningSocket {
    type Error = io::Error;

    fn try_from(descriptor: std::os::fd::OwnedFd) -> io::Result<Self> {
        let domain = socket2::SockRef::from(&descriptor).local_addr()?.domain();
        Ok(match domain {
            Domain::UNIX => std::os::unix::net::UnixListener::from(descriptor).into(),
            _ => std::net::TcpListener::from(descriptor).into(),
        })
    }
}

impl From<std::net::TcpListener> for ListeningSocket {
    fn from(listener: std::net::TcpListener) -> Self {
        Self(SystemListener::Tcp(listener))
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for ListeningSocket {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Self(SystemListener::Unix(listener))
    }
}

/// Whether the process before this one has left its socket files to this one. Until then it may go on and need them.
#[cfg(unix)]
#[derive(Clone, Debug, Default)]
pub(crate) struct FilesLeft(Arc<AtomicBool>);

#[cfg(unix)]
impl FilesLeft {
    /// Notes that the files are this process's from now on.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The file of a Unix socket. Dropping it removes the file, unless the process before this one has not left it, or
/// another listener has put a file of its own at the path meanwhile.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
    left: FilesLeft,
}

#[cfg(unix)]
impl SocketFile {
    fn new(path: &Path, left: FilesLeft) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)?, left })
    }

    /// Leaves the file where it is.
    fn leave(mut self) {
        self.path.clear();
    }
}

#[cfg(unix)]
impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_same = || identity(&self.path).is_ok_and(|found| found == self.identity);
        if self.left.is_set() && is_same() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The device and the inode number of a file.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

fn bind_tcp(address: SocketAddr, backlog: i32, shared: bool) -> io::Result<TcpListener> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Not on Windows, because the option of this name lets two processes share the address there.
    if cfg!(unix) {
        socket.set_reuse_address(true)?;
    }
    if shared {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        socket.set_reuse_port(true)?;
    }
    // Accepted sockets inherit the option on all supported systems. Nagle's algorithm would only
    // add delay, because all output of a turn leaves in one system call.
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    socket.listen(backlog)?;
    Ok(TcpListener::from_std(socket.into()))
}

#[cfg(unix)]
fn bind_unix(path: &Path, backlog: i32) -> io::Result<(UnixListener, SocketFile)> {
    remove_stale(path)?;
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let left = FilesLeft::default();
    left.set();
    let file = SocketFile::new(path, left)?;
    socket.listen(backlog)?;
    Ok((UnixListener::from_std(socket.into()), file))
}

/// Removes a socket file that no process listens at any more.
///
/// Fails with `AlreadyExists` if the path is a file of another type, and with `AddrInUse` if a
/// process listens there.
#[cfg(unix)]
fn remove_stale(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::FileTypeExt;

    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {}
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => return Ok(()),
    }
    // Non-blocking, because a server that listens but does not accept would make `connect` wait.
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Err(io::ErrorKind::AddrInUse.into()),
    }
}
