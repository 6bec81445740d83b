use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use crate::net::poll::{Registry, Token};
use crate::net::socket::Socket;
use crate::net::transport::Source;
use crate::{Address, Peer};

/// Milliseconds after which the next address is tried while earlier attempts go on, as RFC 8305 has it.
const NEXT_ATTEMPT: u64 = 250;
/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 16;

/// The attempts to connect to the addresses of one target ("happy eyeballs"): the families of addresses
/// alternate, an attempt that takes long lets the next one begin and goes on, and the first that connects is
/// taken.
///
/// All sockets are registered with one token. After each event of it, and at [`due`](Dial::due), the owner
/// calls [`poll`](Dial::poll).
#[derive(Debug)]
pub(crate) struct Dial {
    untried: VecDeque<Address>,
    attempts: Vec<DialAttempt>,
    /// The time at which the next attempt begins, if those before have not failed by then.
    next_at: u64,
    /// The first error, which is that of the address that was tried first.
    error: Option<io::Error>,
}

#[derive(Debug)]
struct DialAttempt {
    socket: Socket,
    address: Address,
}

/// The connection that has won.
#[derive(Debug)]
pub(crate) struct DialedConnection {
    /// It is registered with the token of the dial.
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
}

impl Dial {
    pub(crate) fn new(addresses: impl IntoIterator<Item = Address>) -> Self {
        let untried = alternating(addresses.into_iter().take(MAX_ADDRESSES).collect());
        Self { untried, attempts: Vec::new(), next_at: 0, error: None }
    }

    /// A dial to the addresses of a name, with TCP or UDP.
    pub(crate) fn to_names(
        addresses: Vec<SocketAddr>,
        address: impl Fn(SocketAddr) -> Address,
    ) -> Self {
        Self::new(addresses.into_iter().map(address))
    }

    /// The time at which [`poll`](Self::poll) has something to do without an event.
    pub(crate) fn due(&self) -> u64 {
        if self.untried.is_empty() { u64::MAX } else { self.next_at }
    }

    /// Looks at the attempts, and begins further ones that are due. Returns the connection that is there, or
    /// the error when none can come any more.
    pub(crate) fn poll(
        &mut self,
        now: u64,
        registry: &Registry,
        token: Token,
    ) -> Option<io::Result<DialedConnection>> {
        let mut index = 0;
        while let Some(attempt) = self.attempts.get_mut(index) {
            match attempt.socket.is_connected() {
                Ok(true) => return Some(Ok(self.take(index, registry))),
                Ok(false) => index += 1,
                Err(error) => {
                    self.attempts.remove(index);
                    self.failed(error);
                }
            }
        }
        self.begin_due(now, registry, token);
        self.attempts.is_empty().then(|| Err(self.error.take().unwrap_or_else(no_address)))
    }

    /// Begins the first attempt. Returns whether [`poll`](Self::poll) has news at once.
    pub(crate) fn begin(&mut self, now: u64, registry: &Registry, token: Token) -> bool {
        self.begin_due(now, registry, token);
        self.attempts.is_empty()
    }

    /// Begins the attempts that are due.
    fn begin_due(&mut self, now: u64, registry: &Registry, token: Token) {
        while self.attempts.is_empty() || self.next_at <= now {
            let Some(address) = self.untried.pop_front() else { break };
            match begin(&address, registry, token) {
                Ok(socket) => {
                    self.attempts.push(DialAttempt { socket, address });
                    self.next_at = now.saturating_add(NEXT_ATTEMPT);
                }
                Err(error) => self.failed(error),
            }
        }
    }

    /// Takes the socket of an attempt, and drops the others.
    fn take(&mut self, index: usize, registry: &Registry) -> DialedConnection {
        let DialAttempt { socket, address } = self.attempts.swap_remove(index);
        for loser in self.attempts.drain(..) {
            loser.socket.detach(registry);
        }
        let peer = match address {
            Address::Tcp(address) => Peer::Tcp(address),
            Address::Udp(address) => Peer::Udp(address),
            Address::Unix(_) | Address::Passed(_) => Peer::Unix,
        };
        DialedConnection { socket, peer }
    }

    fn failed(&mut self, error: io::Error) {
        // The next address need not wait for a slower attempt.
        self.next_at = 0;
        self.error.get_or_insert(error);
    }
}

fn begin(address: &Address, registry: &Registry, token: Token) -> io::Result<Socket> {
    let mut socket = Socket::connect(address)?;
    socket.register(registry, token)?;
    Ok(socket)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "there is no address to connect to")
}

/// Alternates the families, in the order of the addresses otherwise.
fn alternating(addresses: Vec<Address>) -> VecDeque<Address> {
    let is_v6 = |address: &Address| {
        matches!(address, Address::Tcp(SocketAddr::V6(_)) | Address::Udp(SocketAddr::V6(_)))
    };
    let first_is_v6 = addresses.first().is_some_and(is_v6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| is_v6(address) == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut order = VecDeque::new();
    loop {
        let before = order.len();
        order.extend(first.next());
        order.extend(second.next());
        if order.len() == before {
            return order;
        }
    }
}

/// The system's codes for a process or a system without a free descriptor, for which the standard library has no
/// names.
const NO_DESCRIPTOR: &[i32] = if cfg!(windows) { &[10_024] } else { &[23, 24] };

/// Whether an error says nothing of the peer, because this process lacks descriptors or memory.
pub(crate) fn is_local(error: &io::Error) -> bool {
    let lacks_descriptor = error.raw_os_error().is_some_and(|code| NO_DESCRIPTOR.contains(&code));
    lacks_descriptor || error.kind() == io::ErrorKind::OutOfMemory
}

#[cfg(test)]
#[cfg(feature = "pool")]
mod tests {
    use std::net::TcpListener;
    use std::time::{Duration, Instant};

    use mio::{Events, Poll};

    use super::*;

    fn tcp(text: &str) -> Address {
        Address::Tcp(text.parse().unwrap())
    }

    fn tcp_peer(peer: Peer) -> SocketAddr {
        match peer {
            Peer::Tcp(address) => address,
            other => panic!("{other}"),
        }
    }

    /// Polls until the dial is decided, with the clock of the system.
    fn decided(mut dial: Dial) -> io::Result<DialedConnection> {
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(8));
        let begun = Instant::now();
        loop {
            let now = u64::try_from(begun.elapsed().as_millis()).unwrap();
            if let Some(decided) = dial.poll(now, poll.registry(), Token(7)) {
                return decided;
            }
            let due = dial.due().min(now + 5_000);
            poll.poll(&mut events, Some(Duration::from_millis(due.saturating_sub(now).max(1))))
                .unwrap();
        }
    }

    #[test]
    fn c4_families_alternate_and_keep_their_order() {
        let order = alternating(
            ["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1", "2.2.2.2:1"].map(tcp).to_vec(),
        );
        assert_eq!(order, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"].map(tcp));
        assert_eq!(alternating(vec![tcp("1.1.1.1:1")]), [tcp("1.1.1.1:1")]);
        assert_eq!(alternating(Vec::new()), []);
    }

    #[test]
    fn c4_an_address_that_refuses_lets_the_next_one_begin_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listens = Address::Tcp(listener.local_addr().unwrap());
        let unused = TcpListener::bind("127.0.0.1:0").unwrap();
        let refuses = Address::Tcp(unused.local_addr().unwrap());
        drop(unused);
        let connected = decided(Dial::new([refuses.clone(), listens.clone()])).unwrap();
        assert_eq!(Address::Tcp(tcp_peer(connected.peer)), listens);
        let error = decided(Dial::new([refuses])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(decided(Dial::new([])).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    /// A listener whose queue is full, so that an attempt to connect gets no answer.
    #[cfg(target_os = "linux")]
    fn silent() -> (TcpListener, std::net::TcpStream, Address) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let first = std::net::TcpStream::connect(address).unwrap();
        (listener, first, Address::Tcp(address))
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn c4_silent_addresses_are_tried_250_ms_apart_and_go_on() {
        let (_one, _first, silent_one) = silent();
        let (_two, _second, silent_two) = silent();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listens = Address::Tcp(listener.local_addr().unwrap());
        let poll = Poll::new().unwrap();
        let mut dial = Dial::new([silent_one, silent_two, listens.clone()]);
        let mut at = |now| {
            let decided = dial.poll(now, poll.registry(), Token(7));
            (decided.map(|connected| connected.unwrap().peer), dial.attempts.len(), dial.due())
        };
        assert_eq!(at(0), (None, 1, 250));
        assert_eq!(at(249), (None, 1, 250));
        assert_eq!(at(250), (None, 2, 500));
        assert_eq!(at(499), (None, 2, 500));
        assert_eq!(at(500), (None, 3, u64::MAX));
        let connected = (0..1_000_000).find_map(|_| at(501).0);
        assert_eq!(connected.map(tcp_peer).map(Address::Tcp), Some(listens));
    }

    #[test]
    fn pitfall_6_a_socket_that_is_not_connected_yet_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut dial = Dial::new([Address::Tcp(listener.local_addr().unwrap())]);
        let poll = Poll::new().unwrap();
        // The first look begins the attempt, and may not find it connected.
        let mut looks = 0;
        while dial.poll(0, poll.registry(), Token(7)).is_none() {
            looks += 1;
            assert!(looks < 1_000_000, "it connects");
        }
    }

    #[cfg(unix)]
    #[test]
    fn c4_a_unix_socket_is_connected_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        assert!(decided(Dial::new([Address::Unix(path.clone())])).is_err());
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(decided(Dial::new([Address::Unix(path)])).is_ok());
    }
}
