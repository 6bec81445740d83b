//! The parts that the heads of requests and responses have in common.

use super::{Fields, Refusal, Status};

/// A version of HTTP that the servers speak. Every 1.x from 1.1 on is treated as 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.0
    Http10,
    /// 1.1
    Http11,
}

impl Version {
    /// Parses `HTTP/1.1`.
    ///
    /// # Errors
    ///
    /// When it is malformed, or another major version.
    pub fn parse(word: &[u8]) -> Result<Self, Refusal> {
        match word.strip_prefix(b"HTTP/") {
            Some(b"1.0") => Ok(Self::Http10),
            Some([b'1', b'.', minor]) if minor.is_ascii_digit() => Ok(Self::Http11),
            Some([major] | [major, b'.', b'0'..=b'9']) if major.is_ascii_digit() => {
                Err(Refusal::new(Status::VersionNotSupported, "the server speaks HTTP/1.1"))
            }
            Some(_) => Err(Refusal::bad("the version is malformed")),
            None => Err(Refusal::bad("the first line has no version")),
        }
    }
}

/// The first line of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// The method, which is not checked.
    pub method: &'a [u8],
    /// The target, which is not checked.
    pub target: &'a [u8],
    /// The version.
    pub version: Version,
}

impl<'a> RequestLine<'a> {
    /// Parses three words.
    ///
    /// # Errors
    ///
    /// When they are not three, or the last one is no version.
    pub fn parse(line: &'a [u8]) -> Result<Self, Refusal> {
        let mut words = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::bad("the request line is not a method, a target and a version"));
        };
        Ok(Self { method, target, version: Version::parse(version)? })
    }
}

/// The first line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// The version.
    pub version: Version,
    /// The status, from 100 to 599.
    pub status: u16,
    /// The text behind it.
    pub reason: &'a [u8],
}

impl<'a> StatusLine<'a> {
    /// The first byte of each status line.
    pub const FIRST: u8 = b'H';

    /// Parses a line behind its [`FIRST`](Self::FIRST) byte.
    ///
    /// # Errors
    ///
    /// When it has no version or no status.
    pub fn parse_rest(line: &'a [u8]) -> Result<Self, Refusal> {
        let mut words = line.splitn(3, |&byte| byte == b' ');
        let version = words.next().unwrap_or_default();
        let version = Version::parse(&[&[Self::FIRST], version].concat())?;
        let status = match words.next() {
            Some([a @ b'1'..=b'5', b @ b'0'..=b'9', c @ b'0'..=b'9']) => {
                [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'))
            }
            _ => return Err(Refusal::bad("the status is not a number from 100 to 599")),
        };
        Ok(Self { version, status, reason: words.next().unwrap_or_default() })
    }
}

/// Splits a head into its first line and the lines of its fields, up to and with the empty line.
pub fn split(head: &[u8]) -> (&[u8], &[u8]) {
    let end = head.windows(2).position(|bytes| bytes == b"\r\n").unwrap_or(head.len());
    (&head[..end], head.get(end + 2..).unwrap_or_default())
}

/// Whether the sender of a head keeps the connection open after this exchange.
pub fn keeps_alive(fields: &Fields<'_>, version: Version) -> bool {
    !fields.has_word("connection", "close")
        && (version == Version::Http11 || fields.has_word("connection", "keep-alive"))
}

/// Checks the host: exactly one, which may be missing in HTTP/1.0.
///
/// # Errors
///
/// When it is missing, malformed, or there twice.
pub fn check_host<'a>(fields: &Fields<'a>, version: Version) -> Result<Option<&'a [u8]>, Refusal> {
    match fields.single("host")? {
        Some(host) if is_authority(host) => Ok(Some(host)),
        Some(_) => Err(Refusal::bad("the host is malformed")),
        None if version == Version::Http10 => Ok(None),
        None => Err(Refusal::bad("the host is missing")),
    }
}

/// Whether these bytes can be a host and a port. No server resolves the host; the check only
/// excludes bytes that another program could take for two hosts, or for a user name before a host.
pub fn is_authority(bytes: &[u8]) -> bool {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=:[]%".contains(byte);
    !bytes.is_empty() && bytes.iter().all(fits)
}

/// Checks the expectation, which HTTP/1.0 does not define and the servers then ignore.
///
/// # Errors
///
/// When it is not `100-continue`.
pub fn expects_continue(fields: &Fields<'_>, version: Version) -> Result<bool, Refusal> {
    if version == Version::Http10 {
        return Ok(false);
    }
    if !fields.words("expect").all(|word| word.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Refusal::new(Status::ExpectationFailed, "the expectation is unknown"));
    }
    Ok(fields.has_word("expect", "100-continue"))
}
