use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mio::net::{TcpStream, UnixStream};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{self, AddressFamily, RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown};

use crate::Peer;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};

/// Makes a write to a broken connection return an error and raise no signal. Apple's systems have
/// no such flag.
#[cfg(not(target_vendor = "apple"))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A connected socket of a poll. It holds nothing but the descriptor, so that an idle connection is
/// small.
///
/// On Linux rustix calls the kernel directly. The functions of the C library cost more than twice
/// as much, because they are cancellation points of threads.
#[derive(Debug)]
pub(crate) struct Socket(OwnedFd);

impl From<TcpStream> for Socket {
    fn from(stream: TcpStream) -> Self {
        Self(std::net::TcpStream::from(stream).into())
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
        let (_, bytes) = net::recv(&*self, &mut *buffer, RecvFlags::empty())?;
        // A read that does not fill the buffer has emptied the socket.
        Ok(Read { bytes, drained: bytes < buffer.len() })
    }

    #[expect(clippy::inline_always, reason = "measured: the call is half of its instructions")]
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(net::send(&*self, bytes, NO_SIGNAL)?)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut nothing = SendAncillaryBuffer::new(&mut []);
        Ok(net::sendmsg(&*self, slices, &mut nothing, NO_SIGNAL)?)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(net::shutdown(&*self, Shutdown::Write)?)
    }

    fn abort(&mut self) {
        // An error is ignored, because the close then only looks like a regular end to the peer.
        // Unix sockets have no reset.
        let _ = set_socket_linger(&*self, Some(Duration::ZERO));
    }
}

impl Source for Socket {
    /// Registers for reading and writing, so that the registration never changes.
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let both = Interest::READABLE | Interest::WRITABLE;
        // An event has to report urgent data, because a read stops before it and is short although
        // more input follows.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let both = both | Interest::PRIORITY;
        registry.register(&mut SourceFd(&self.0.as_raw_fd()), token, both)
    }

    fn detach(self, registry: &Registry) -> Option<Socket> {
        if let Err(error) = registry.deregister(&mut SourceFd(&self.0.as_raw_fd())) {
            tracing::warn!(%error, "cannot deregister a connection from its poll");
            return None;
        }
        Some(self)
    }
}

impl PeerAddr for Socket {
    fn peer(&self) -> io::Result<Peer> {
        // Most clients of Unix sockets have no address.
        let Some(address) = net::getpeername(self)? else { return Ok(Peer::Unix) };
        if address.address_family() == AddressFamily::UNIX {
            return Ok(Peer::Unix);
        }
        Ok(Peer::Tcp(SocketAddr::try_from(address)?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use mio::{Events, Poll};

    use super::*;
    use crate::net::token;
    use crate::scheduler::port_core::{Effect, Input, PortCore};

    /// A poll, a socket that is registered with it under `token`, and its peer.
    fn registered(token: Token) -> (Poll, Socket, UnixStream) {
        let poll = Poll::new().unwrap();
        let (socket, peer) = UnixStream::pair().unwrap();
        let mut socket = Socket::from(socket);
        socket.register(poll.registry(), token).unwrap();
        (poll, socket, peer)
    }

    /// The tokens of the events that a poll reports without waiting.
    fn poll_events(poll: &mut Poll) -> Vec<Token> {
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        events.iter().map(mio::event::Event::token).collect()
    }

    #[test]
    fn pitfall_7_one_registration_reports_all_later_events() {
        let token = Token(7);
        let (mut poll, mut socket, mut peer) = registered(token);
        assert_eq!(poll_events(&mut poll), [token], "a write may succeed");
        for _ in 0..3 {
            assert_eq!(poll_events(&mut poll), []);
            peer.write_all(b"ping").unwrap();
            assert_eq!(poll_events(&mut poll), [token], "a read may succeed");
            assert_eq!(socket.read(&mut [0; 8]).unwrap().bytes, 4);
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        let again = poll.registry().register(&mut SourceFd(&socket.0.as_raw_fd()), token, both);
        assert!(again.is_err(), "a second registration is an error");
    }

    #[test]
    fn pitfall_8_a_duplicate_descriptor_causes_events_until_the_socket_leaves_its_poll() {
        let mut core = PortCore::new(0, 1);
        assert_eq!(core.on(Input::Take(0)), Effect::Poll { thread: 0, wait: true });
        let key = core.open(());
        let token = token::from_key(key);
        let (mut poll, socket, mut peer) = registered(token);
        poll_events(&mut poll);
        let duplicate = socket.as_fd().try_clone_to_owned().unwrap();
        drop(socket);
        core.close(key);
        core.on(Input::Polled(0));
        peer.write_all(b"late").unwrap();
        // The poll still reports events of the dropped socket, and the port drops them.
        let events = poll_events(&mut poll);
        if cfg!(target_os = "linux") {
            assert_eq!(events, [token]);
        }
        let next = core.open(());
        assert_eq!(next.slot(), key.slot());
        for event in events {
            assert_eq!(core.on(Input::Event(token::to_key(event))), Effect::Stale);
        }
        drop(duplicate);

        // After `detach` the poll reports no more events, although the descriptor is still open.
        let (mut poll, socket, mut peer) = registered(token);
        poll_events(&mut poll);
        let mut detached = socket.detach(poll.registry()).expect("it deregisters");
        peer.write_all(b"late").unwrap();
        assert_eq!(poll_events(&mut poll), []);
        assert_eq!(detached.read(&mut [0; 8]).unwrap().bytes, 4);
    }
}
