#[cfg(any(target_os = "linux", target_os = "android"))]
use std::fs::File;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mio::net::{TcpStream, UdpSocket, UnixStream};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use super::any_port;
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::net::file_copy;
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::net::transport::FileSent;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};
use crate::{Address, Peer};

/// Makes a write to a broken connection return an error, and raise no signal.
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A connected socket of a poll. It has no field but its descriptor, because an idle connection keeps
/// it.
///
/// On Linux the calls go to the kernel directly. Those of the C library are cancellation points of
/// the thread, which costs more than the rest of such a call.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(std::net::TcpStream::from(stream).into())
    }
}

impl From<OwnedFd> for Socket {
    fn from(file: OwnedFd) -> Self {
        Self(file)
    }
}

impl Socket {
    /// Reads a pipe or a terminal, after a call for sockets has failed with `error`.
    #[cold]
    fn read_file(&self, error: Errno, buffer: &mut [u8]) -> io::Result<Read> {
        let bytes = if_no_socket(error, || rustix::io::read(&self.0, &mut *buffer))?;
        Ok(Read { bytes, drained: bytes < buffer.len() })
    }

    fn send_slices(&self, slices: &[IoSlice<'_>], flags: SendFlags) -> io::Result<usize> {
        let mut nothing = SendAncillaryBuffer::new(&mut []);
        match net::sendmsg(self, slices, &mut nothing, flags) {
            Ok(sent) => Ok(sent),
            Err(error) => if_no_socket(error, || rustix::io::writev(&self.0, slices)),
        }
    }

    /// Begins to connect. An event reports that [`is_connected`](Self::is_connected) may have changed.
    pub(crate) fn connect(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(*address)?;
                stream.set_nodelay(true)?;
                Ok(stream.into())
            }
            Address::Unix(path) => UnixStream::connect(path).map(Self::from),
            Address::Udp(address) => {
                let socket = UdpSocket::bind(any_port(*address))?;
                socket.connect(*address)?;
                Ok(Self(std::net::UdpSocket::from(socket).into()))
            }
            Address::Passed(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Registers a socket of datagrams. One that waits for room, too, would get an event for each that it sends.
    pub(crate) fn register_datagrams(
        &mut self,
        registry: &Registry,
        token: Token,
    ) -> io::Result<()> {
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), token, Interest::READABLE)
    }

    /// Whether the connection is there; an error if it will not come. An event can come before either
    /// (pitfall 6).
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        net::sockopt::socket_error(self)??;
        let peer = match net::getpeername(self) {
            Ok(peer) => peer,
            Err(Errno::NOTCONN) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        // A TCP socket that finds nobody at a port of this machine can connect to itself.
        let is_itself = peer.is_some_and(|peer| {
            peer.address_family() != AddressFamily::UNIX
                && net::getsockname(self).is_ok_and(|own| own == peer)
        });
        if is_itself { Err(io::ErrorKind::ConnectionRefused.into()) } else { Ok(true) }
    }
}

impl From<UnixStream> for Socket {
    fn from(stream: UnixStream) -> Self {
        Self(std::os::unix::net::UnixStream::from(stream).into())
    }
}

impl AsFd for Socket {
    #[inline]
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl ByteStream for Socket {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        let bytes = match net::recv(&*self, &mut *buffer, RecvFlags::empty()) {
            Ok((_, bytes)) => bytes,
            Err(error) => return self.read_file(error, buffer),
        };
        // A read that returns less than was asked for has emptied the socket.
        Ok(Read { bytes, drained: bytes < buffer.len() })
    }

    #[expect(clippy::inline_always, reason = "counted: half of the cost is the call")]
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match net::send(&*self, bytes, NO_SIGNAL) {
            Ok(sent) => Ok(sent),
            Err(error) => if_no_socket(error, || rustix::io::write(&self.0, bytes)),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_slices(slices, NO_SIGNAL)
    }

    /// Holds a packet that is not full back until the file fills it, for 200 ms at most.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn write_before_file(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_slices(slices, NO_SIGNAL | SendFlags::MORE)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        match rustix::fs::sendfile(&self.0, file, Some(&mut { at }), most) {
            Ok(sent) => Ok(FileSent { bytes: sent, cut: sent < most }),
            // The file system, or the kind of file, cannot do it.
            Err(Errno::INVAL | Errno::NOSYS) => file_copy::copy(self, file, at, most),
            Err(error) => Err(error.into()),
        }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        // A pipe or a terminal has no end of one stream alone; its close is the end.
        net::shutdown(&*self, Shutdown::Write).or_else(|error| if_no_socket(error, || Ok(())))
    }

    fn abort(&mut self) {
        // An error is ignored, because the close then only looks like a regular end to the peer. A
        // Unix socket has no resets.
        let _ = set_socket_linger(&*self, Some(Duration::ZERO));
    }
}

impl Source for Socket {
    const CAN_MOVE: bool = true;

    /// Registers for reading and writing at once, so that the interest never changes again.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        // Urgent data makes a read short although there is more behind it.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = both | Interest::PRIORITY;
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), token, both)
    }

    fn detach(self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(&mut SourceFd(&self.0.as_raw_fd())) {
            crate::log::warn!(%error, "a connection cannot leave its poll");
            return None;
        }
        Some(self)
    }
}

impl PeerAddr for Socket {
    fn peer(&self) -> io::Result<Peer> {
        // Clients of a Unix socket have no address.
        let address = match net::getpeername(self) {
            Ok(address) => address,
            Err(Errno::NOTSOCK) => return Ok(Peer::Pipe),
            Err(error) => return Err(error.into()),
        };
        let Some(address) = address else { return Ok(Peer::Unix) };
        if address.address_family() == AddressFamily::UNIX {
            return Ok(Peer::Unix);
        }
        Ok(Peer::Tcp(SocketAddr::try_from(address)?))
    }
}

/// Does the same for a pipe or a terminal, if `error` says that a call for sockets has met one.
#[cold]
fn if_no_socket<T>(error: Errno, call: impl FnOnce() -> rustix::io::Result<T>) -> io::Result<T> {
    match error {
        Errno::NOTSOCK => Ok(call()?),
        error => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use mio::{Events, Poll};

    use super::*;
    use crate::net::token;
    use crate::scheduler::port_core::{Effect, PortCore, PortInput};

    /// A poll, a socket that is registered with it under `token`, and its peer.
    fn registered(token: Token) -> (Poll, Socket, UnixStream) {
        let poll = Poll::new().unwrap();
        let (socket, peer) = UnixStream::pair().unwrap();
        let mut socket = Socket::from(socket);
        socket.register(poll.registry(), token).unwrap();
        (poll, socket, peer)
    }

    /// The tokens of the events of a poll that does not wait.
    fn polled(poll: &mut Poll) -> Vec<Token> {
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        events.iter().map(mio::event::Event::token).collect()
    }

    #[test]
    fn pitfall_7_one_registration_tells_of_all_that_comes() {
        let token = Token(7);
        let (mut poll, mut socket, mut peer) = registered(token);
        assert_eq!(polled(&mut poll), [token], "a write may succeed");
        for _ in 0..3 {
            assert_eq!(polled(&mut poll), []);
            peer.write_all(b"ping").unwrap();
            assert_eq!(polled(&mut poll), [token], "a read may succeed");
            assert_eq!(socket.read(&mut [0; 8]).unwrap().bytes, 4);
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        let again = poll.registry().register(&mut SourceFd(&socket.0.as_raw_fd()), token, both);
        assert!(again.is_err(), "a second registration is an error: change it with `reregister`");
    }

    #[test]
    fn pitfall_8_a_duplicate_descriptor_causes_events_until_the_socket_leaves_its_poll() {
        let mut core = PortCore::new(0, 1, Arc::default());
        assert_eq!(core.handle(PortInput::Take(0)), Effect::Poll { thread: 0, wait: true });
        let key = core.open(());
        let token = token::from_key(key);
        let (mut poll, socket, mut peer) = registered(token);
        polled(&mut poll);
        let duplicate = socket.as_fd().try_clone_to_owned().unwrap();
        drop(socket);
        core.close(key);
        core.handle(PortInput::Polled(0));
        peer.write_all(b"late").unwrap();
        // Events of a socket that was dropped still come, and match no connection.
        let events = polled(&mut poll);
        if cfg!(target_os = "linux") {
            assert_eq!(events, [token]);
        }
        let next = core.open(());
        assert_eq!(next.slot(), key.slot());
        for event in events {
            assert_eq!(core.handle(PortInput::Event(token::to_key(event))), Effect::Stale);
        }
        drop(duplicate);

        // A socket that leaves its poll gets no more events, although its descriptor stays open.
        let (mut poll, socket, mut peer) = registered(token);
        polled(&mut poll);
        let mut free = socket.detach(poll.registry()).expect("it leaves its poll");
        peer.write_all(b"late").unwrap();
        assert_eq!(polled(&mut poll), []);
        assert_eq!(free.read(&mut [0; 8]).unwrap().bytes, 4);
    }
}
