//! Version 1, a line such as `PROXY TCP4 192.0.2.7 198.51.100.1 56324 443`.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Ends, Error, Origin, Version};
use crate::frame::Decoded;

/// The largest number of bytes of the line, with its end.
pub(super) const MAX: usize = 107;
/// The smallest number: `PROXY UNKNOWN` and the end.
pub(super) const MIN: usize = 15;

const PREFIX: &[u8] = b"PROXY ";
const SOURCE: &str = "source";
const DESTINATION: &str = "destination";
const SOURCE_PORT: &str = "source port";
const DESTINATION_PORT: &str = "destination port";

/// The protocols that name addresses.
#[derive(Clone, Copy)]
enum Protocol {
    Tcp4,
    Tcp6,
}

/// The reason why a part of the line cannot be read.
enum Stop {
    /// It is incomplete: the line has at least this number of bytes.
    More(usize),
    /// It is wrong.
    Wrong(Error),
}

type Part<T> = Result<T, Stop>;

/// Reads the line from the left to the right, so that each error is that of the first wrong byte, however
/// the line is cut.
pub(super) fn decode(input: &[u8]) -> Result<Decoded<Origin<'static>>, Error> {
    match line(input) {
        Ok((ends, used)) => Ok(Decoded::Frame(Origin::new(Version::V1, ends), used)),
        Err(Stop::More(more)) => Ok(Decoded::More(more.max(input.len() + 1))),
        Err(Stop::Wrong(error)) => Err(error),
    }
}

fn line(input: &[u8]) -> Part<(Ends<'static>, usize)> {
    literal(input, PREFIX, MIN, Error::Signature)?;
    let rest = &input[PREFIX.len()..];
    match rest.first() {
        None => Err(Stop::More(MIN)),
        Some(b'U') => unknown(input),
        Some(_) => {
            literal(rest, b"TCP", PREFIX.len() + Protocol::Tcp6.least(), Error::Protocol)?;
            let protocol = match rest.get(3) {
                None => return Err(Stop::More(PREFIX.len() + Protocol::Tcp6.least())),
                Some(b'4') => Protocol::Tcp4,
                Some(b'6') => Protocol::Tcp6,
                Some(_) => return Err(Stop::Wrong(Error::Protocol)),
            };
            match rest.get(4) {
                None => Err(Stop::More(PREFIX.len() + protocol.least())),
                Some(b' ') => addresses(protocol, input, PREFIX.len() + 5),
                Some(_) => Err(Stop::Wrong(Error::Protocol)),
            }
        }
    }
}

/// All bytes up to the end of the line are ignored.
fn unknown(input: &[u8]) -> Part<(Ends<'static>, usize)> {
    const BEGIN: &[u8] = b"PROXY UNKNOWN";
    literal(input, BEGIN, MIN, Error::Protocol)?;
    if !matches!(input.get(BEGIN.len()), None | Some(b' ' | b'\r')) {
        return Err(Stop::Wrong(Error::Protocol));
    }
    let within = &input[..input.len().min(MAX)];
    if let Some(at) = memchr::memmem::find(within, b"\r\n") {
        return Ok((Ends::Unknown, at + 2));
    }
    let end = if within.last() == Some(&b'\r') { 1 } else { 2 };
    if within.len() + end > MAX {
        Err(Stop::Wrong(Error::NoEnd))
    } else {
        Err(Stop::More(within.len() + end))
    }
}

fn addresses(protocol: Protocol, input: &[u8], begin: usize) -> Part<(Ends<'static>, usize)> {
    let least = protocol.least_address();
    let mut words = HeaderWords { input, at: begin };
    let source = words.address(SOURCE, protocol, 1 + least + 6)?;
    words.space(DESTINATION)?;
    let destination = words.address(DESTINATION, protocol, 6)?;
    words.space(SOURCE_PORT)?;
    let source_port = words.port(SOURCE_PORT, 4)?;
    words.space(DESTINATION_PORT)?;
    let destination_port = words.port(DESTINATION_PORT, 2)?;
    words.end()?;
    let source = SocketAddr::new(source, source_port);
    let destination = SocketAddr::new(destination, destination_port);
    Ok((Ends::Inet { source, destination }, words.at))
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Tcp4 => "TCP4",
            Self::Tcp6 => "TCP6",
        }
    }

    /// The smallest number of bytes of an address: `0.0.0.0` or `::`.
    fn least_address(self) -> usize {
        match self {
            Self::Tcp4 => 7,
            Self::Tcp6 => 2,
        }
    }

    fn most_address(self) -> usize {
        match self {
            Self::Tcp4 => 15,
            Self::Tcp6 => 39,
        }
    }

    /// The smallest number of bytes from the name of the protocol on.
    fn least(self) -> usize {
        "TCP4 ".len() + 2 * (self.least_address() + 1) + "0 0\r\n".len()
    }

    fn has(self, byte: u8) -> bool {
        match self {
            Self::Tcp4 => byte.is_ascii_digit() || byte == b'.',
            Self::Tcp6 => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
        }
    }

    /// Parses an address, of which no number has leading zeros in IPv4.
    fn parse(self, text: &str) -> Option<IpAddr> {
        match self {
            Self::Tcp4 => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
            Self::Tcp6 => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        }
    }
}

/// The words of a line, and where the next one begins.
struct HeaderWords<'a> {
    input: &'a [u8],
    at: usize,
}

impl HeaderWords<'_> {
    /// Reads an address. At least `behind` bytes follow it.
    fn address(&mut self, field: &'static str, protocol: Protocol, behind: usize) -> Part<IpAddr> {
        let wrong = Error::Address { field, protocol: protocol.name() };
        let least = protocol.least_address() + behind;
        let text = self.word(|byte| protocol.has(byte), protocol.most_address(), least, wrong)?;
        protocol.parse(text).ok_or(Stop::Wrong(wrong))
    }

    /// Reads a port. At least `behind` bytes follow it.
    fn port(&mut self, field: &'static str, behind: usize) -> Part<u16> {
        let wrong = Error::Port { field };
        let text = self.word(|byte| byte.is_ascii_digit(), 5, 1 + behind, wrong)?;
        if text.len() > 1 && text.starts_with('0') {
            return Err(Stop::Wrong(wrong));
        }
        text.parse().map_err(|_| Stop::Wrong(wrong))
    }

    /// Takes the bytes up to the space or the end of the line. They and what follows them have at least
    /// `least` bytes.
    fn word(
        &mut self,
        has: impl Fn(u8) -> bool,
        most: usize,
        least: usize,
        wrong: Error,
    ) -> Part<&str> {
        let rest = &self.input[self.at..];
        let len = rest.iter().take_while(|byte| has(**byte)).count();
        if len > most || rest.get(len).is_some_and(|byte| !matches!(byte, b' ' | b'\r')) {
            return Err(Stop::Wrong(wrong));
        }
        if len == rest.len() {
            return Err(Stop::More(self.at + least));
        }
        self.at += len;
        std::str::from_utf8(&rest[..len]).map_err(|_| Stop::Wrong(wrong))
    }

    /// Takes the space before the next word, which a word has found.
    fn space(&mut self, next: &'static str) -> Part<()> {
        if self.input[self.at] != b' ' {
            return Err(Stop::Wrong(Error::Missing { field: next }));
        }
        self.at += 1;
        Ok(())
    }

    /// Takes the end of the line, of which a word has found the first byte.
    fn end(&mut self) -> Part<()> {
        if self.input[self.at] != b'\r' {
            return Err(Stop::Wrong(Error::Surplus));
        }
        match self.input.get(self.at + 1) {
            None => return Err(Stop::More(self.at + 2)),
            Some(b'\n') => self.at += 2,
            Some(_) => return Err(Stop::Wrong(Error::LineEnd)),
        }
        Ok(())
    }
}

/// The input begins with the text, as far as both go; `least` is the number of bytes of the shortest line.
fn literal(input: &[u8], text: &[u8], least: usize, wrong: Error) -> Part<()> {
    let len = input.len().min(text.len());
    if input[..len] != text[..len] {
        return Err(Stop::Wrong(wrong));
    }
    if len < text.len() { Err(Stop::More(least)) } else { Ok(()) }
}

pub(super) fn check(origin: &Origin<'_>) -> Result<(), Error> {
    let no_place = |field| Err(Error::NoPlace { field });
    match origin.ends {
        Ends::Local => return no_place("`LOCAL`"),
        Ends::Unix { .. } => return no_place("paths of Unix sockets"),
        Ends::Unknown | Ends::Inet { .. } => {}
    }
    if origin.authority.is_some() || origin.alpn.is_some() || origin.unique_id.is_some() {
        return no_place("an authority, a protocol or an id");
    }
    Ok(())
}

/// A line that is written.
pub(super) struct Line {
    bytes: [u8; MAX],
    len: usize,
}

impl Line {
    pub(super) fn of(origin: &Origin<'_>) -> Self {
        let mut bytes = [0; MAX];
        let mut left = &mut bytes[..];
        // A line of two addresses has at most 104 bytes, so writing cannot fail.
        let _ = match origin.ends {
            Ends::Inet { source, destination } => {
                let protocol = if source.is_ipv4() { Protocol::Tcp4 } else { Protocol::Tcp6 };
                write!(
                    left,
                    "PROXY {} {} {} {} {}\r\n",
                    protocol.name(),
                    source.ip(),
                    destination.ip(),
                    source.port(),
                    destination.port()
                )
            }
            _ => left.write_all(b"PROXY UNKNOWN\r\n"),
        };
        let len = MAX - left.len();
        Self { bytes, len }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
