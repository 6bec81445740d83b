//! The messages of SOCKS5 (RFC 1928) and of its user names and passwords (RFC 1929).

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};

use fsm_runtime::prelude::*;

/// No login is necessary.
pub(crate) const OPEN: u8 = 0;
/// A user name and a password.
pub(crate) const PASSWORD: u8 = 2;
/// None of the client's methods will do.
pub(crate) const NO_METHOD: u8 = 0xFF;
/// The only command here.
pub(crate) const CONNECT: u8 = 1;

/// The methods of a login that a client can do.
#[frame(Greetings)]
pub(crate) struct Greeting<'a> {
    #[is(5)]
    version: u8,
    count: u8,
    #[bytes(count <= 255)]
    pub(crate) methods: &'a [u8],
}

/// The method that the server has chosen.
#[frame(Choices)]
pub(crate) struct Choice {
    #[is(5)]
    version: u8,
    pub(crate) method: u8,
}

/// A user name and a password.
#[frame(Logins)]
pub(crate) struct Login<'a> {
    #[is(1)]
    version: u8,
    name_len: u8,
    #[bytes(name_len <= 255)]
    pub(crate) name: &'a [u8],
    password_len: u8,
    #[bytes(password_len <= 255)]
    #[secret]
    pub(crate) password: &'a [u8],
}

/// The answer to a login: 0 if it is right.
#[frame(Verdicts)]
pub(crate) struct Verdict {
    #[is(1)]
    version: u8,
    pub(crate) status: u8,
}

/// The command of a client.
#[frame(Requests)]
pub(crate) struct Request<'a> {
    #[is(5)]
    version: u8,
    pub(crate) command: u8,
    #[is(0)]
    reserved: u8,
    pub(crate) host: Host<'a>,
    pub(crate) port: u16,
}

/// An address, or the name of a host.
#[frame(Hosts, tag = u8)]
pub(crate) enum Host<'a> {
    #[is(1)]
    V4 { address: [u8; 4] },
    #[is(3)]
    Name {
        len: u8,
        #[bytes(len <= 255)]
        name: &'a [u8],
    },
    #[is(4)]
    V6 { address: [u8; 16] },
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4 { address } => Ipv4Addr::from(*address).fmt(f),
            Self::V6 { address } => write!(f, "[{}]", Ipv6Addr::from(*address)),
            Self::Name { name } => name.escape_ascii().fmt(f),
        }
    }
}

/// The answer to a request.
#[frame(Replies)]
pub(crate) struct Reply<'a> {
    #[is(5)]
    version: u8,
    pub(crate) code: u8,
    #[is(0)]
    reserved: u8,
    pub(crate) bound: Host<'a>,
    pub(crate) port: u16,
}

/// The code of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Done = 0,
    Failed = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,
    HostUnreachable = 4,
    Refused = 5,
    TimedOut = 6,
    NoSuchCommand = 7,
    NoSuchAddressType = 8,
}

impl Code {
    /// The code for a connection that failed.
    pub(crate) fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::HostUnreachable => Self::HostUnreachable,
            io::ErrorKind::NetworkUnreachable => Self::NetworkUnreachable,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Failed,
        }
    }

    /// The code for bytes that are no request.
    pub(crate) fn of_bad(request: &RequestsError) -> Self {
        match request {
            RequestsError::Host(HostsError::Tag) => Self::NoSuchAddressType,
            _ => Self::Failed,
        }
    }

    /// The reply. It does not name the address from which the proxy has connected, which clients of CONNECT have
    /// no use for.
    pub(crate) fn reply(self) -> Reply<'static> {
        Reply { code: self as u8, bound: Host::V4 { address: [0; 4] }, port: 0 }
    }
}
