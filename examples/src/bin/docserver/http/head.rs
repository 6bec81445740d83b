//! The head of a request.

use fsm_runtime::{Decoded, Frame};

use super::fields::Fields;
use super::scan::Scan;
use super::target::{Target, is_authority};
use super::{Exchange, Framing, Method, Refusal, Status};

/// The head of a request, borrowed from the input.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    pub(crate) framing: Framing,
    /// The client sends the body only after [`CONTINUE`](super::CONTINUE).
    pub(crate) expects_continue: bool,
    /// Whether the client may send another request on this connection.
    pub(crate) keep_alive: bool,
    pub(crate) fields: Fields<'a>,
}

/// A version of HTTP that this server speaks. Every 1.x from 1.1 on is treated as 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    Http10,
    Http11,
}

/// Decodes the head of a request at the start of the input.
#[derive(Debug, Default)]
pub(crate) struct HeadCodec(Scan);

impl Frame for HeadCodec {
    type Item<'a> = Head<'a>;
    type Error = Refusal;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Head<'a>>, Refusal> {
        // `Scan` checks lines as they arrive, and `parse` runs once all are there, so that of two
        // errors the same one is reported however the input is cut.
        Ok(match self.0.head(input)? {
            Some(range) => Decoded::Frame(Head::parse(&input[range.clone()])?, range.end),
            None => Decoded::More(input.len() + 1),
        })
    }
}

impl<'a> Head<'a> {
    /// Parses a head whose lines all end with CRLF; the last one is empty.
    fn parse(head: &'a [u8]) -> Result<Self, Refusal> {
        let end = head.windows(2).position(|bytes| bytes == b"\r\n").unwrap_or(head.len());
        let (line, fields) = (&head[..end], head.get(end + 2..).unwrap_or_default());
        let mut words = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Refusal::bad("the request line is not a method, a target and a version"));
        };
        let version = Version::parse(version)?;
        let method = Method::parse(method)?;
        let target = Target::parse(target, method)?;
        let fields = Fields::parse(fields)?;
        check_host(&fields, version)?;
        let framing = Framing::parse(&fields, version)?;
        let expects_continue = expects_continue(&fields, version)? && !framing.is_empty();
        let keep_alive = !fields.has_word("connection", "close")
            && (version == Version::Http11 || fields.has_word("connection", "keep-alive"));
        Ok(Self { method, target, framing, expects_continue, keep_alive, fields })
    }

    /// The facts about the request that the answer depends on.
    pub(crate) fn exchange(&self) -> Exchange {
        Exchange { is_head: self.method == Method::Head, keep_alive: self.keep_alive }
    }

    /// The same for an answer that is sent before the body has been read: it closes the connection,
    /// because the next request has no known start.
    pub(crate) fn exchange_unread(&self) -> Exchange {
        let exchange = self.exchange();
        Exchange { keep_alive: exchange.keep_alive && self.framing.is_empty(), ..exchange }
    }
}

impl Version {
    fn parse(word: &[u8]) -> Result<Self, Refusal> {
        match word.strip_prefix(b"HTTP/") {
            Some(b"1.0") => Ok(Self::Http10),
            Some([b'1', b'.', minor]) if minor.is_ascii_digit() => Ok(Self::Http11),
            Some([major] | [major, b'.', b'0'..=b'9']) if major.is_ascii_digit() => {
                Err(Refusal::new(Status::VersionNotSupported, "the server speaks HTTP/1.1"))
            }
            Some(_) => Err(Refusal::bad("the version is malformed")),
            None => Err(Refusal::bad("the request line has no version")),
        }
    }
}

/// Checks the host: exactly one, which may be missing in HTTP/1.0.
fn check_host(fields: &Fields<'_>, version: Version) -> Result<(), Refusal> {
    match fields.single("host")? {
        Some(host) if is_authority(host) => Ok(()),
        Some(_) => Err(Refusal::bad("the host is malformed")),
        None if version == Version::Http10 => Ok(()),
        None => Err(Refusal::bad("the host is missing")),
    }
}

/// Checks the expectation, which HTTP/1.0 does not define and the server then ignores.
fn expects_continue(fields: &Fields<'_>, version: Version) -> Result<bool, Refusal> {
    if version == Version::Http10 {
        return Ok(false);
    }
    if !fields.words("expect").all(|word| word.eq_ignore_ascii_case(b"100-continue")) {
        return Err(Refusal::new(Status::ExpectationFailed, "the expectation is unknown"));
    }
    Ok(fields.has_word("expect", "100-continue"))
}

#[cfg(test)]
pub(crate) mod tests;
