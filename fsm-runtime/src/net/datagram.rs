//! Sockets of datagrams, and the sessions of those who send to them.

use std::collections::{HashMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::stats::Counters;
use crate::{Address, Key, PoolError};

mod client;
mod peer;

pub(crate) use self::client::{ClientSettings, ClientSocket};
pub(crate) use self::peer::DatagramPeer;

/// The largest datagram of IPv4.
pub(crate) const LARGEST: usize = 65_507;
/// The most datagrams of one system call.
const BATCH: usize = if BATCH_SIZE < 16 { BATCH_SIZE } else { 16 };
/// The most bytes of a datagram, or of those that the system has joined.
const BUFFER: usize = 64 * 1024;
/// The bytes that the system is asked to keep until they are received.
const QUEUE: usize = 1024 * 1024;
/// The most datagrams that wait for the machine of one peer.
const MAX_QUEUED: usize = 64;
/// The most datagrams that wait for the machines of all peers of a socket.
const MAX_QUEUED_IN_ALL: usize = 4096;

/// Fails if a datagram of `queued` bytes has no room for so many bytes of a file.
fn fits(queued: usize, of_file: usize) -> io::Result<()> {
    if queued + of_file > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no datagram is so large"));
    }
    Ok(())
}

/// The addresses of a session. `local` is known where the socket has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionAddresses {
    pub(crate) peer: SocketAddr,
    pub(crate) local: Option<IpAddr>,
}

/// A socket of datagrams, which the receiver shares with the sessions of the peers.
#[derive(Debug)]
pub(crate) struct DatagramSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    address: SocketAddr,
    /// The most bytes of a datagram that is sent.
    most: usize,
    sessions: Mutex<Sessions>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Sessions {
    by_ends: HashMap<SessionAddresses, DatagramSession>,
    /// The number of datagrams in all queues.
    queued: usize,
    /// The peers whose queue is left to a new session.
    orphans: Vec<SessionAddresses>,
}

#[derive(Debug, Default)]
struct DatagramSession {
    /// Its key, from its first turn on.
    key: Option<Key>,
    queue: VecDeque<Vec<u8>>,
}

/// The fate of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It waits for the turn of the session with this key.
    Queued(Key),
    /// It waits for a session whose first turn is to come.
    Waits,
    /// No room is left for it.
    Dropped,
    /// Its peer has no session.
    Unknown,
}

/// The buffers of a receiver.
pub(crate) struct Buffers(Vec<u8>);

impl Buffers {
    pub(crate) fn new() -> Self {
        // The system gives memory for the pages that are written to.
        Self(vec![0; BATCH * BUFFER])
    }
}

impl DatagramSocket {
    /// Binds to an address. Several sockets can bind to one address if all of them are `shared`.
    pub(crate) fn bind(
        address: SocketAddr,
        shared: bool,
        most: usize,
        counters: Arc<Counters>,
    ) -> Result<Self, PoolError> {
        let wanted = Address::Udp(address);
        bind(address, shared)
            .and_then(|socket| {
                let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
                let address = socket.local_addr()?;
                let (most, sessions) = (most.min(LARGEST), Mutex::default());
                Ok(Self { socket, state, address, most, sessions, counters })
            })
            .map_err(PoolError::binding(&wanted))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    /// Receives datagrams with one system call. Returns whether more may wait.
    pub(crate) fn receive(
        &self,
        buffers: &mut Buffers,
        mut each: impl FnMut(SessionAddresses, &[u8]),
    ) -> io::Result<bool> {
        let mut metas = [RecvMeta::default(); BATCH];
        let mut chunks = buffers.0.chunks_mut(BUFFER);
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let count = self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut metas)?;
        for (meta, slice) in metas.iter().zip(&slices).take(count) {
            let local = meta.dst_ip.filter(|_| self.address.ip().is_unspecified());
            let ends = SessionAddresses { peer: meta.addr, local };
            if meta.len == 0 {
                each(ends, &[]);
            }
            // The system may join datagrams of one peer.
            for datagram in slice[..meta.len].chunks(meta.stride.max(1)) {
                each(ends, datagram);
            }
        }
        Ok(count == BATCH)
    }

    /// Gives a datagram to the session of its peer, if there is one.
    pub(crate) fn offer(&self, ends: &SessionAddresses, datagram: &[u8]) -> Offered {
        let mut sessions = self.sessions();
        let has_room = sessions.queued < MAX_QUEUED_IN_ALL;
        let Some(session) = sessions.by_ends.get_mut(ends) else { return Offered::Unknown };
        if !has_room || session.queue.len() == MAX_QUEUED {
            return Offered::Dropped;
        }
        session.queue.push_back(datagram.to_vec());
        let key = session.key;
        sessions.queued += 1;
        key.map_or(Offered::Waits, Offered::Queued)
    }

    /// The peers whose queue is left to a new session.
    pub(crate) fn take_orphans(&self) -> Vec<SessionAddresses> {
        std::mem::take(&mut self.sessions().orphans)
    }

    pub(crate) fn has_orphans(&self) -> bool {
        !self.sessions().orphans.is_empty()
    }

    /// Takes the next datagram of a session.
    fn next(&self, ends: &SessionAddresses) -> Option<Vec<u8>> {
        let mut sessions = self.sessions();
        let next = sessions.by_ends.get_mut(ends)?.queue.pop_front()?;
        sessions.queued -= 1;
        Some(next)
    }

    /// Whether a datagram waits for a session.
    fn has_more(&self, ends: &SessionAddresses) -> bool {
        let sessions = self.sessions();
        sessions.by_ends.get(ends).is_some_and(|session| !session.queue.is_empty())
    }

    /// Sends a datagram from the address that the peer has sent to. One that cannot be sent is lost and counted.
    fn send(&self, ends: &SessionAddresses, datagram: &[u8]) {
        let sent = if datagram.len() > self.most {
            let why = format!("it has {} bytes, and {} are the most", datagram.len(), self.most);
            Err(io::Error::new(io::ErrorKind::InvalidInput, why))
        } else {
            let transmit = Transmit {
                destination: ends.peer,
                ecn: None,
                contents: datagram,
                segment_size: None,
                src_ip: ends.local,
            };
            self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
        };
        let Err(error) = sent else { return };
        self.counters.datagram_unsent();
        let (peer, local) = (ends.peer, self.address);
        if error.kind() == io::ErrorKind::InvalidInput {
            crate::log::warn!(%peer, %local, %error, "a datagram was not sent");
        } else {
            crate::log::debug!(%peer, %local, %error, "a datagram was not sent");
        }
    }

    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// Forgets a session. Returns how many datagrams it had not read.
    fn remove(&mut self, ends: &SessionAddresses) -> usize {
        let lost = self.by_ends.remove(ends).map_or(0, |session| session.queue.len());
        self.queued -= lost;
        lost
    }
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<UdpSocket> {
    let socket =
        socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if shared {
        #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
        socket.set_reuse_port(true)?;
    }
    // The system may give less.
    let _ = socket.set_recv_buffer_size(QUEUE);
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(UdpSocket::from_std(socket.into()))
}
