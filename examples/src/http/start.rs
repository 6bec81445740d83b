//! The parts that the heads of requests and responses have in common.

use std::net::Ipv6Addr;

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
            // Later versions have names without a point.
            Some([b'2'..=b'9'] | [b'0'..=b'9', b'.', b'0'..=b'9']) => {
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

/// Whether these bytes are a host, and a port if there is one, as RFC 3986 writes them. No server resolves the host;
/// the check excludes what another program could take for another host.
pub fn is_authority(bytes: &[u8]) -> bool {
    let (is_host, port) = if let [b'[', rest @ ..] = bytes {
        let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
        (is_ip_literal(&rest[..end]), &rest[end + 1..])
    } else {
        let end = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
        (end > 0 && is_name(&bytes[..end]), &bytes[end..])
    };
    let is_port = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_host && is_port
}

/// Whether these bytes may stand in brackets: an address of IPv6, with a zone if it has one, or of a later version.
fn is_ip_literal(inside: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = inside {
        let Some(point) = rest.iter().position(|byte| *byte == b'.') else { return false };
        let (version, address) = (&rest[..point], &rest[point + 1..]);
        let is_version = point > 0 && version.iter().all(u8::is_ascii_hexdigit);
        let is_part = |byte: &u8| *byte == b':' || is_name_byte(*byte);
        return is_version && !address.is_empty() && address.iter().all(is_part);
    }
    let end = inside.iter().position(|byte| *byte == b'%').unwrap_or(inside.len());
    let is_zone = match &inside[end..] {
        [] => true,
        zone => zone.strip_prefix(b"%25").is_some_and(|zone| !zone.is_empty() && is_name(zone)),
    };
    let address = std::str::from_utf8(&inside[..end]).ok();
    is_zone && address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Whether these bytes are a name, whose other bytes are written as `%` and two digits.
fn is_name(mut bytes: &[u8]) -> bool {
    loop {
        bytes = match bytes {
            [] => return true,
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest
            }
            [byte, rest @ ..] if is_name_byte(*byte) => rest,
            _ => return false,
        };
    }
}

/// A comma may be in a name, but a program that joins two fields of a name writes one between them.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_with_a_port_or_without() {
        for text in [
            "a",
            "a.b",
            "a:80",
            "a:",
            "a_b",
            "-a",
            "a.",
            "1.2.3.4:5",
            "%41",
            "a%2fb",
            "[::1]",
            "[::1]:80",
            "[::1]:",
            "[::ffff:1.2.3.4]",
            "[fe80::1%25eth0]",
            "[v1.a:b]",
            "a!$&'()*+;=~b",
        ] {
            assert!(is_authority(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            ":",
            ":80",
            "a:b",
            "a:8x",
            "a:-1",
            "a:+1",
            "a:80:80",
            "::1",
            "[",
            "[]",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]80",
            "[::1]:x",
            "[::1]:80:80",
            "[[::1]]",
            "[1.2.3.4]",
            "[a]",
            "[1:2:3]",
            "[::1%eth0]",
            "[::1%25]",
            "[v.a]",
            "[v1]",
            "[v1.]",
            "[vx.a]",
            "%",
            "%4",
            "%4g",
            "a%zz",
            "a,b",
            "a b",
            "a@b",
            "a/b",
            "a?",
            "a#",
            "a\\b",
            "a\"b",
            "<a>",
            "a|b",
            "a\0",
            "\u{e4}",
            "a]",
            "a[b",
        ] {
            assert!(!is_authority(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_version_has_two_digits_and_a_point_between_them() {
        use Status::{BadRequest, VersionNotSupported};

        for (text, expected) in [
            ("HTTP/1.0", Ok(Version::Http10)),
            ("HTTP/1.9", Ok(Version::Http11)),
            ("HTTP/2.0", Err(VersionNotSupported)),
            ("HTTP/2", Err(VersionNotSupported)),
            ("HTTP/3", Err(VersionNotSupported)),
            ("HTTP/0.9", Err(VersionNotSupported)),
            ("HTTP/1", Err(BadRequest)),
            ("HTTP/0", Err(BadRequest)),
            ("HTTP/1.", Err(BadRequest)),
            ("HTTP/.1", Err(BadRequest)),
            ("HTTP/1.10", Err(BadRequest)),
            ("HTTP/01.1", Err(BadRequest)),
            ("HTTP/+1.1", Err(BadRequest)),
            ("HTTP/1,1", Err(BadRequest)),
            ("http/1.1", Err(BadRequest)),
            ("", Err(BadRequest)),
        ] {
            let parsed = Version::parse(text.as_bytes()).map_err(|why| why.status);
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
