use std::fmt;
use std::net::SocketAddr;

/// The other end of a connection.
///
/// ```
/// use fsm_runtime::Peer;
///
/// let peer = Peer::Tcp("127.0.0.1:4000".parse().unwrap());
/// assert_eq!(peer.to_string(), "127.0.0.1:4000");
/// assert_eq!(Peer::Unix.to_string(), "unix");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Peer {
    /// A TCP peer.
    Tcp(SocketAddr),
    /// A peer that sends datagrams.
    Udp(SocketAddr),
    /// A client of a Unix socket, which has no address.
    Unix,
    /// A pipe or a terminal, which has no address.
    Pipe,
    /// A test, at the other end of a pipe in memory.
    Memory,
    /// A peer that had left before its connection moved from another pool.
    Gone,
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) | Self::Udp(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
            Self::Pipe => f.write_str("pipe"),
            Self::Memory => f.write_str("memory"),
            Self::Gone => f.write_str("gone"),
        }
    }
}
