//! The header of the PROXY protocol, versions 1 and 2, with which a proxy announces its client.
//!
//! A proxy such as `HAProxy` connects to a server in place of its clients, and says in front of each
//! connection's bytes who the client is (`send-proxy`, `send-proxy-v2`). [`Header`] reads that, and writes
//! it for servers that forward connections themselves. The protocol is that of `HAProxy`'s
//! `proxy-protocol.txt`.
//!
//! # Security
//!
//! A header is true only if its sender is. Read it where none but the proxies can connect, such as on a
//! Unix socket, on an address of their own or behind a firewall, or end connections of other peers in the
//! function that makes handlers ([`Peer`](crate::Peer) is the address of the socket). Where a client can
//! connect itself, it chooses its address. The header is not optional: a server never guesses whether one
//! comes, because then each client could send one.
//!
//! Give the state that reads it a short time, such as `within = 5s`; a proxy sends the header first.
//!
//! # A server behind a proxy
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use fsm_runtime::prelude::*;
//! use fsm_runtime::proxy::{self, Origin};
//! use fsm_runtime::sim::Session;
//!
//! #[state_machine(start = Header, eof => Gone, refused => Gone)]
//! enum Lines {
//!     /// The proxy announces its client.
//!     #[read(frame = proxy::Header, within = 5s => Gone)]
//!     #[to(Line)]
//!     Header,
//!     #[read(until = b"\n", max = 1KiB, limit => Gone, idle = 60s => Gone)]
//!     #[to(Line)]
//!     #[rest]
//!     Line,
//!     #[end]
//!     Gone,
//! }
//!
//! struct Client {
//!     /// The client's address; that of the socket if the header names none.
//!     address: Option<SocketAddr>,
//! }
//!
//! impl lines::Handler for Client {
//!     fn header(&mut self, origin: Origin<'_>, _cx: &mut Cx<'_>) -> lines::AfterHeader {
//!         self.address = origin.source().or(self.address);
//!         lines::AfterHeader::Line
//!     }
//!
//!     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> lines::AfterLine {
//!         let address = self.address.map_or("nobody".to_owned(), |it| it.to_string());
//!         writeln!(cx, "{} bytes from {address}", line.len());
//!         lines::AfterLine::Line
//!     }
//! }
//!
//! # fn main() {
//! // With sockets: `.handler(|peer| Client { address: match peer { Peer::Tcp(it) => Some(it), _ => None } })`.
//! let mut proxy = Session::<Lines, _>::new(Client { address: None });
//! proxy.send(b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nhello\n");
//! assert_eq!(&proxy.receive()[..], b"5 bytes from 192.0.2.7:56324\n");
//! # }
//! ```

use std::net::SocketAddr;

mod error;
mod v1;
mod v2;

pub use self::error::Error;
use crate::frame::{Decoded, Encode, Frame, Layout, LayoutCase, LayoutField, Output};

/// The decoder of the header of either version, for `#[read(frame = proxy::Header, ..)]`. The handler gets an
/// [`Origin`]. [`v1`](Header::v1) and [`v2`](Header::v2) make one to be sent.
///
/// A state that reads it needs no `max`, because a header has at most [`MAX`](Header::MAX) bytes. A byte that
/// begins neither version is refused at once, so that a client which speaks without a proxy does not wait.
///
/// - Version 1 is a line of at most 107 bytes. A header of version 2 has at most 536 bytes, as many as any
///   TCP segment can have: addresses of up to 216 bytes, and values behind them (`Type-Length-Value`).
/// - Of the values, `PP2_TYPE_AUTHORITY`, `PP2_TYPE_ALPN` and `PP2_TYPE_UNIQUE_ID` are in the [`Origin`]. A
///   `PP2_TYPE_CRC32C` is checked. All others are skipped.
/// - `LOCAL` in version 2 (such as a health check of the proxy), `UNKNOWN` in version 1 and `UNSPEC` in
///   version 2 name no client: the address of the socket is valid, and what else they contain is ignored,
///   as the protocol demands.
///
/// To send a header, such as in front of a connection that is forwarded:
///
/// ```
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::proxy::Header;
///
/// let client = "192.0.2.7:56324".parse().unwrap();
/// let listener = "198.51.100.1:443".parse().unwrap();
/// let mut out = Vec::new(); // Or the `cx` of a handler.
/// assert_eq!(Header::v1(client, listener).encode(&mut out), Ok(()));
/// assert_eq!(out, b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n");
///
/// let Ok(Decoded::Frame(origin, 45)) = Header.decode(&out) else { panic!() };
/// assert_eq!(origin.source(), Some(client));
/// let error = Header.decode(b"GET / HTTP/1.1\r\n").unwrap_err();
/// assert_eq!(error.to_string(), "the connection does not begin with a PROXY header");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Header;

/// The content of a header: where a connection comes from.
///
/// Made by [`Header`]. Encoding it gives the header again, without the values that [`Header`] skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Origin<'a> {
    /// The version of the header.
    pub version: Version,
    /// The client and the address that it connected to.
    pub ends: Ends<'a>,
    /// The host name that the client asked for, such as in TLS (SNI). Only in version 2.
    pub authority: Option<&'a str>,
    /// The protocol that the client and the proxy have agreed on in TLS, such as `h2`. Only in version 2.
    pub alpn: Option<&'a [u8]>,
    /// The proxy's name of the connection, of at most 128 bytes. Only in version 2.
    pub unique_id: Option<&'a [u8]>,
}

/// The version of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// A line of text.
    V1,
    /// Binary.
    V2,
}

/// The two ends of a connection that a proxy has accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ends<'a> {
    /// The proxy speaks for itself (`LOCAL`), such as in a health check: the address of the socket is valid.
    /// Only in version 2.
    Local,
    /// The proxy does not know its client or cannot name it: the address of the socket is valid.
    Unknown,
    /// Addresses of TCP, both of IPv4 or both of IPv6. Those of UDP are read in the same way.
    Inet {
        /// The client.
        source: SocketAddr,
        /// The address of the proxy that the client connected to.
        destination: SocketAddr,
    },
    /// The paths of Unix sockets, without the NUL bytes at the end; empty if there is none. Only in version 2.
    Unix {
        /// The client, which usually has no path.
        source: &'a [u8],
        /// The path that the client connected to.
        destination: &'a [u8],
    },
}

impl Header {
    /// The largest number of bytes of a header.
    pub const MAX: usize = v2::MAX;

    /// A header of version 1 for a client and the address that it connected to. The flow and scope of an IPv6
    /// address are not sent.
    pub fn v1(source: SocketAddr, destination: SocketAddr) -> Origin<'static> {
        Origin::new(Version::V1, Ends::inet(source, destination))
    }

    /// A header of version 2 for a client and the address that it connected to. The flow and scope of an IPv6
    /// address are not sent.
    pub fn v2(source: SocketAddr, destination: SocketAddr) -> Origin<'static> {
        Origin::new(Version::V2, Ends::inet(source, destination))
    }

    /// A header of version 2 for a client of a Unix socket.
    pub fn unix<'a>(source: &'a [u8], destination: &'a [u8]) -> Origin<'a> {
        Origin::new(Version::V2, Ends::Unix { source, destination })
    }

    /// A header that names no client.
    pub fn unknown(version: Version) -> Origin<'static> {
        Origin::new(version, Ends::Unknown)
    }

    /// A header for a connection of the proxy's own, of version 2.
    pub fn local() -> Origin<'static> {
        Origin::new(Version::V2, Ends::Local)
    }
}

impl<'a> Origin<'a> {
    fn new(version: Version, ends: Ends<'a>) -> Self {
        Self { version, ends, authority: None, alpn: None, unique_id: None }
    }

    /// The address of the client. `None` if the header names none, or a Unix socket: then that of the socket
    /// is valid.
    pub fn source(&self) -> Option<SocketAddr> {
        match self.ends {
            Ends::Inet { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The address that the client connected to. `None` if the header names none, or a Unix socket.
    pub fn destination(&self) -> Option<SocketAddr> {
        match self.ends {
            Ends::Inet { destination, .. } => Some(destination),
            _ => None,
        }
    }
}

impl Ends<'_> {
    fn inet(source: SocketAddr, destination: SocketAddr) -> Self {
        let plain = |address: SocketAddr| SocketAddr::new(address.ip(), address.port());
        Self::Inet { source: plain(source), destination: plain(destination) }
    }
}

impl Frame for Header {
    type Item<'a> = Origin<'a>;
    type Error = Error;

    const LAYOUT: Option<&'static Layout> = Some(&LAYOUT);

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Origin<'a>>, Error> {
        match input.first() {
            None => Ok(Decoded::More(v1::MIN.min(v2::MIN))),
            Some(b'P') => v1::decode(input),
            Some(b'\r') => v2::decode(input),
            Some(_) => Err(Error::Signature),
        }
    }
}

impl Encode for Origin<'_> {
    type Error = Error;

    fn encoded_len(&self) -> usize {
        match self.version {
            Version::V1 => v1::Line::of(self).bytes().len(),
            Version::V2 => v2::encoded_len(self),
        }
    }

    fn check(&self) -> Result<(), Error> {
        if let Ends::Inet { source, destination } = self.ends {
            if source.is_ipv4() != destination.is_ipv4() {
                return Err(Error::Families);
            }
        }
        match self.version {
            Version::V1 => v1::check(self),
            Version::V2 => v2::check(self),
        }
    }

    fn put(&self, out: &mut impl Output) {
        match self.version {
            Version::V1 => out.put(v1::Line::of(self).bytes()),
            Version::V2 => v2::put(self, out),
        }
    }
}

/// Both versions, as pictures of a machine show them. An IPv6 address has several texts, and values are
/// skipped, so a header is not always encoded with the bytes that it had.
static LAYOUT: Layout = Layout::new(
    "Header",
    Header::MAX,
    Some("signature"),
    &[
        LayoutCase::new(
            "V1",
            &[b"PROXY "],
            &[
                LayoutField::new("protocol", "TCP4, TCP6 or UNKNOWN", 4, 7),
                LayoutField::new("ends", "addresses in decimal or hex, and ports", 0, 92)
                    .with_end(b"\r\n"),
            ],
        ),
        LayoutCase::new(
            "V2",
            &[v2::SIGNATURE],
            &[
                LayoutField::new("command", "u8, 0x20 or 0x21", 1, 1),
                LayoutField::new("family", "u8", 1, 1),
                LayoutField::new("len", "u16", 2, 2),
                LayoutField::new("ends", "addresses and ports", 0, 216),
                LayoutField::new("values", "types, lengths and values", 0, v2::MAX - v2::MIN),
            ],
        ),
    ],
);
