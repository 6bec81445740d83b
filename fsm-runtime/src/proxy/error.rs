use std::fmt;

use super::{v1, v2};

/// The reason why input is no [`Header`](super::Header), or why an [`Origin`](super::Origin) cannot be
/// encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The input begins with neither version.
    Signature,
    /// Version 1: the protocol is unknown.
    Protocol,
    /// Version 1: a text is no address of its protocol.
    Address {
        /// The name of the field.
        field: &'static str,
        /// The protocol: `TCP4` or `TCP6`.
        protocol: &'static str,
    },
    /// Version 1: a text is no port.
    Port {
        /// The name of the field.
        field: &'static str,
    },
    /// Version 1: the line ends too soon.
    Missing {
        /// The name of the field before which it ends.
        field: &'static str,
    },
    /// Version 1: the line does not end after the last port.
    Surplus,
    /// Version 1: no line feed follows the carriage return.
    LineEnd,
    /// Version 1: the line does not end within its 107 bytes.
    NoEnd,
    /// Version 2: the number of the version is another one.
    Version(u8),
    /// Version 2: the command is neither `LOCAL` nor `PROXY`.
    Command(u8),
    /// Version 2: the family of addresses, or the kind of socket, is unknown.
    Family(u8),
    /// Version 2: the length leaves no room for the addresses of the family.
    Short {
        /// The announced length.
        len: usize,
        /// The length of the addresses.
        least: usize,
    },
    /// Version 2: the header is longer than [`Header::MAX`](super::Header::MAX).
    TooLong {
        /// The length of the whole header.
        len: usize,
    },
    /// Version 2: a value is longer than what is left of the header, or than its type allows.
    Value {
        /// The type of the value; `None` if not even type and length fit.
        kind: Option<u8>,
    },
    /// Version 2: a value that can be there once comes twice.
    Twice {
        /// The type of the value.
        kind: u8,
    },
    /// Version 2: the authority is no UTF-8.
    Utf8,
    /// Version 2: the checksum is another one.
    Checksum,
    /// One address is of IPv4 and the other one of IPv6.
    Families,
    /// A path of a Unix socket has more than 108 bytes, or ends with a NUL byte.
    Path,
    /// The version or the command has no place for something that is to be sent.
    NoPlace {
        /// The value that does not fit.
        field: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("the connection does not begin with a PROXY header"),
            Self::Protocol => f.write_str("the protocol is none of `TCP4`, `TCP6` and `UNKNOWN`"),
            Self::Address { field, protocol } => {
                write!(f, "the {field} is no address of `{protocol}`")
            }
            Self::Port { field } => {
                write!(f, "the {field} is no number from 0 to 65535 without leading zeros")
            }
            Self::Missing { field } => write!(f, "the line ends before the {field}"),
            Self::Surplus => f.write_str("the line does not end after the destination port"),
            Self::LineEnd => f.write_str("no line feed follows the carriage return"),
            Self::NoEnd => write!(f, "the line does not end within {} bytes", v1::MAX),
            Self::Version(version) => write!(f, "the binary header has version {version}, not 2"),
            Self::Command(command) => {
                write!(f, "the command {command} is neither LOCAL (0) nor PROXY (1)")
            }
            Self::Family(family) => write!(f, "the family {family:#04x} is unknown"),
            Self::Short { len, least } => {
                write!(f, "the length is {len}, and the addresses have {least} bytes")
            }
            Self::TooLong { len } => {
                write!(f, "the header has {len} bytes, and may have at most {}", v2::MAX)
            }
            Self::Value { kind: Some(kind) } => {
                write!(f, "the length of the value of type {kind:#04x} is wrong")
            }
            Self::Value { kind: None } => f.write_str("the header ends in the middle of a value"),
            Self::Twice { kind } => write!(f, "there are two values of type {kind:#04x}"),
            Self::Utf8 => f.write_str("the authority is not UTF-8"),
            Self::Checksum => f.write_str("the checksum of the header is wrong"),
            Self::Families => f.write_str("one address is of IPv4 and the other one of IPv6"),
            Self::Path => f.write_str("a path has more than 108 bytes, or ends with a NUL byte"),
            Self::NoPlace { field } => write!(f, "such a header has no place for {field}"),
        }
    }
}

impl std::error::Error for Error {}
