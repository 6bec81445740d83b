//! Version 2: a signature, a command, a family, a length, addresses and values.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Ends, Error, Origin, Version};
use crate::frame::{Decoded, Output};

/// The largest number of bytes of a header.
pub(super) const MAX: usize = 536;
/// The bytes before the addresses.
pub(super) const MIN: usize = 16;
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
/// The bytes of a path of a Unix socket.
const PATH: usize = 108;
/// The most bytes of a unique id.
const UNIQUE_ID_LEN: usize = 128;

/// Types of values.
const ALPN: u8 = 0x01;
const AUTHORITY: u8 = 0x02;
const CHECKSUM: u8 = 0x03;
const UNIQUE_ID: u8 = 0x05;

/// A family of addresses whose bytes are known, the high half of the byte of the family.
#[derive(Clone, Copy)]
enum Family {
    Unknown,
    V4,
    V6,
    Unix,
}

impl Family {
    /// The family that a header has, if its command is `PROXY`.
    fn new(byte: u8) -> Result<Self, Error> {
        match (byte >> 4, byte & 0x0F) {
            (1, 1 | 2) => Ok(Self::V4),
            (2, 1 | 2) => Ok(Self::V6),
            (3, 1 | 2) => Ok(Self::Unix),
            (0, 0..=2) | (1..=3, 0) => Ok(Self::Unknown),
            _ => Err(Error::Family(byte)),
        }
    }

    /// The number of bytes of both ends.
    fn len(self) -> usize {
        match self {
            Self::Unknown => 0,
            Self::V4 => 12,
            Self::V6 => 36,
            Self::Unix => 2 * PATH,
        }
    }
}

pub(super) fn decode(input: &[u8]) -> Result<Decoded<Origin<'_>>, Error> {
    let len = input.len().min(SIGNATURE.len());
    if input[..len] != SIGNATURE[..len] {
        return Err(Error::Signature);
    }
    let is_local = match input.get(12) {
        None => return Ok(Decoded::More(MIN)),
        Some(&LOCAL) => true,
        Some(&PROXY) => false,
        Some(byte) if byte >> 4 == 2 => return Err(Error::Command(byte & 0x0F)),
        Some(byte) => return Err(Error::Version(byte >> 4)),
    };
    let family = match input.get(13) {
        None => return Ok(Decoded::More(MIN)),
        // The family of `LOCAL` is ignored.
        Some(_) if is_local => Family::Unknown,
        Some(byte) => Family::new(*byte)?,
    };
    let Some(&[high, low]) = input.get(14..MIN) else { return Ok(Decoded::More(MIN)) };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len < family.len() {
        return Err(Error::Short { len, least: family.len() });
    }
    let end = MIN + len;
    if end > MAX {
        return Err(Error::TooLong { len: end });
    }
    let Some(header) = input.get(..end) else { return Ok(Decoded::More(end)) };
    let (ends, values) = header[MIN..].split_at(family.len());
    let mut origin =
        Origin::new(Version::V2, if is_local { Ends::Local } else { read(family, ends) });
    // Bytes that follow where no addresses are known are ignored: they may be addresses of another family.
    if !matches!(family, Family::Unknown) {
        read_values(&mut origin, header, values)?;
    }
    Ok(Decoded::Frame(origin, end))
}

/// Reads the ends from as many bytes as the family has.
fn read(family: Family, bytes: &[u8]) -> Ends<'_> {
    match family {
        Family::Unknown => Ends::Unknown,
        Family::V4 => {
            inet(bytes, |ip| Ipv4Addr::from(<[u8; 4]>::try_from(ip).unwrap_or_default()).into())
        }
        Family::V6 => {
            inet(bytes, |ip| Ipv6Addr::from(<[u8; 16]>::try_from(ip).unwrap_or_default()).into())
        }
        Family::Unix => {
            let (source, destination) = bytes.split_at(PATH);
            Ends::Unix { source: path(source), destination: path(destination) }
        }
    }
}

/// Reads two addresses and two ports of two bytes each.
fn inet(bytes: &[u8], ip: impl Fn(&[u8]) -> IpAddr) -> Ends<'_> {
    let (ips, ports) = bytes.split_at(bytes.len() - 4);
    let (source, destination) = ips.split_at(ips.len() / 2);
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    Ends::Inet {
        source: SocketAddr::new(ip(source), port(0)),
        destination: SocketAddr::new(ip(destination), port(2)),
    }
}

/// The path without the NUL bytes at the end.
fn path(bytes: &[u8]) -> &[u8] {
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &bytes[..len]
}

fn read_values<'a>(
    origin: &mut Origin<'a>,
    header: &[u8],
    mut values: &'a [u8],
) -> Result<(), Error> {
    let mut has_checksum = false;
    while !values.is_empty() {
        let [kind, high, low, rest @ ..] = values else { return Err(Error::Value { kind: None }) };
        let (kind, len) = (*kind, usize::from(u16::from_be_bytes([*high, *low])));
        let wrong = Error::Value { kind: Some(kind) };
        let (value, rest) = rest.split_at_checked(len).ok_or(wrong)?;
        let is_second = match kind {
            ALPN => origin.alpn.replace(value).is_some(),
            AUTHORITY => {
                let authority = std::str::from_utf8(value).map_err(|_| Error::Utf8)?;
                origin.authority.replace(authority).is_some()
            }
            UNIQUE_ID if len > UNIQUE_ID_LEN => return Err(wrong),
            UNIQUE_ID => origin.unique_id.replace(value).is_some(),
            CHECKSUM => {
                let sent = value.try_into().map_err(|_| wrong)?;
                let at = header.len() - rest.len() - len;
                if checksum(&header[..at], &header[at + len..]) != u32::from_be_bytes(sent) {
                    return Err(Error::Checksum);
                }
                std::mem::replace(&mut has_checksum, true)
            }
            _ => false,
        };
        if is_second {
            return Err(Error::Twice { kind });
        }
        values = rest;
    }
    Ok(())
}

/// The CRC32C of a header whose four bytes of the checksum, between `before` and `behind`, count as 0.
fn checksum(before: &[u8], behind: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in before.iter().chain(&[0; 4]).chain(behind) {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82F6_3B78 & (sum & 1).wrapping_neg());
        }
    }
    !sum
}

/// The bytes of both ends.
fn family(ends: Ends<'_>) -> Family {
    match ends {
        Ends::Local | Ends::Unknown => Family::Unknown,
        Ends::Inet { source: SocketAddr::V4(_), .. } => Family::V4,
        Ends::Inet { source: SocketAddr::V6(_), .. } => Family::V6,
        Ends::Unix { .. } => Family::Unix,
    }
}

/// The values of an origin, with their types.
fn values<'a>(origin: &Origin<'a>) -> impl Iterator<Item = (u8, &'a [u8])> {
    let values = [
        (ALPN, origin.alpn),
        (AUTHORITY, origin.authority.map(str::as_bytes)),
        (UNIQUE_ID, origin.unique_id),
    ];
    values.into_iter().filter_map(|(kind, value)| Some((kind, value?)))
}

pub(super) fn encoded_len(origin: &Origin<'_>) -> usize {
    let values: usize = values(origin).map(|(_, value)| 3 + value.len()).sum();
    MIN + family(origin.ends).len() + values
}

pub(super) fn check(origin: &Origin<'_>) -> Result<(), Error> {
    if let Ends::Unix { source, destination } = origin.ends {
        if [source, destination].iter().any(|it| it.len() > PATH || it.last() == Some(&0)) {
            return Err(Error::Path);
        }
    }
    // The receiver ignores what follows no addresses.
    if matches!(family(origin.ends), Family::Unknown) && values(origin).next().is_some() {
        return Err(Error::NoPlace { field: "an authority, a protocol or an id" });
    }
    if origin.unique_id.is_some_and(|id| id.len() > UNIQUE_ID_LEN) {
        return Err(Error::Value { kind: Some(UNIQUE_ID) });
    }
    let len = encoded_len(origin);
    if len > MAX { Err(Error::TooLong { len }) } else { Ok(()) }
}

pub(super) fn put(origin: &Origin<'_>, out: &mut impl Output) {
    let command = if origin.ends == Ends::Local { LOCAL } else { PROXY };
    let family = match family(origin.ends) {
        Family::Unknown => 0x00,
        Family::V4 => 0x11,
        Family::V6 => 0x21,
        Family::Unix => 0x31,
    };
    out.put(SIGNATURE);
    out.put(&[command, family]);
    out.put(&len_bytes(encoded_len(origin) - MIN));
    match origin.ends {
        Ends::Local | Ends::Unknown => {}
        Ends::Inet { source, destination } => {
            for end in [source, destination] {
                match end.ip() {
                    IpAddr::V4(ip) => out.put(&ip.octets()),
                    IpAddr::V6(ip) => out.put(&ip.octets()),
                }
            }
            out.put(&source.port().to_be_bytes());
            out.put(&destination.port().to_be_bytes());
        }
        Ends::Unix { source, destination } => {
            for path in [source, destination] {
                out.put(path);
                out.put(&[0; PATH][path.len()..]);
            }
        }
    }
    for (kind, value) in values(origin) {
        out.put(&[kind]);
        out.put(&len_bytes(value.len()));
        out.put(value);
    }
}

/// A length of at most [`MAX`] as it is sent.
fn len_bytes(len: usize) -> [u8; 2] {
    u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes()
}
