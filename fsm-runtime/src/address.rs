use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use crate::PoolError;

/// An address that a pool listens on.
///
/// ```
/// use fsm_runtime::Address;
///
/// let address = Address::parse("127.0.0.1:7070").unwrap();
/// assert_eq!(address, Address::Tcp("127.0.0.1:7070".parse().unwrap()));
/// assert_eq!(Address::parse("unix:/run/kv.sock").unwrap().to_string(), "unix:/run/kv.sock");
/// assert_eq!(Address::parse("udp:[::1]:53").unwrap().to_string(), "udp:[::1]:53");
/// assert!(Address::parse("7070").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A TCP address; port 0 lets the system choose one.
    Tcp(SocketAddr),
    /// A UDP address, for a machine that reads datagrams; port 0 lets the system choose one.
    Udp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// The name of listening sockets that a service manager has passed to the process, or the number of a
    /// descriptor. See [`Builder::listen`](crate::Builder::listen).
    Passed(String),
}

impl Address {
    /// Parses `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT`, one of these after `udp:`, `unix:PATH`, `fd:NAME` or
    /// `fd:NUMBER`.
    ///
    /// A host name is resolved at once, which may block. If it has several addresses, the first is
    /// used.
    ///
    /// # Errors
    ///
    /// [`PoolError::Address`] when the text has none of these forms, or the name cannot be
    /// resolved; and for `fd:` on systems other than Linux.
    pub fn parse(text: &str) -> Result<Self, PoolError> {
        let refuse = |why: String| PoolError::Address { address: text.to_owned(), why };
        if let Some(path) = text.strip_prefix("unix:") {
            if path.is_empty() {
                return Err(refuse("the path is missing".to_owned()));
            }
            return Ok(Self::Unix(path.into()));
        }
        if let Some(which) = text.strip_prefix("fd:") {
            return passed(which).map_err(|why| refuse(why.to_owned()));
        }
        let (make, socket): (fn(SocketAddr) -> Self, _) = match text.strip_prefix("udp:") {
            Some(socket) => (Self::Udp, socket),
            None => (Self::Tcp, text),
        };
        let mut found = socket.to_socket_addrs().map_err(|error| refuse(error.to_string()))?;
        found.next().map(make).ok_or_else(|| refuse("the name has no address".to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Udp(address) => write!(f, "udp:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Passed(which) => write!(f, "fd:{which}"),
        }
    }
}

/// The address of sockets that were passed.
fn passed(which: &str) -> Result<Address, &'static str> {
    if !cfg!(target_os = "linux") {
        return Err("only on Linux a service manager passes sockets in this way");
    }
    if which.is_empty() {
        return Err("the name is missing");
    }
    // A colon separates names.
    if which.contains(|c: char| c == ':' || c.is_control()) {
        return Err("no socket that was passed can have this name");
    }
    if matches!(which, "0" | "1" | "2") {
        return Err("the descriptors that are passed have numbers from 3 on");
    }
    Ok(Address::Passed(which.to_owned()))
}
