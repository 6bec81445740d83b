//! The heads of HTTP answers, and of the chunks of their bodies.

use std::fmt;

use fsm_runtime::{Decoded, Frame, frame};
use httparse::{EMPTY_HEADER, Response, Status};

/// The most fields of a head.
const FIELDS: usize = 100;

/// What a client must know of the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// The server takes another request on this connection.
    pub(crate) keeps_open: bool,
}

/// How long the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Length(u64),
    Chunked,
    /// It ends with the stream.
    ToEnd,
}

/// The head of a chunk. The one of length 0 is the last one, and fields may follow it.
#[frame(Chunks)]
pub(crate) struct Chunk<'a> {
    #[hex]
    pub(crate) size: u64,
    #[until(b"\r\n", max = 1KiB)]
    pub(crate) extension: &'a [u8],
}

/// The reason why a head is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Http(httparse::Error),
    Length,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => write!(f, "the answer is not HTTP: {error}"),
            Self::Length => f.write_str("the answer has no plain length"),
        }
    }
}

/// The decoder of heads.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    /// The position up to which no head ends.
    searched: usize,
}

impl Frame for Heads {
    type Item<'a> = Head;
    type Error = Malformed;

    fn decode(&mut self, input: &[u8]) -> Result<Decoded<Head>, Malformed> {
        const END: &[u8] = b"\r\n\r\n";
        let found = input[self.searched..].windows(END.len()).position(|bytes| bytes == END);
        let Some(found) = found else {
            // What is no answer from its beginning has no end to wait for.
            let begins = b"HTTP/1.".iter().zip(input).all(|(one, other)| one == other);
            self.searched = input.len().saturating_sub(END.len() - 1);
            let more = Decoded::More(input.len() + 1);
            return if begins { Ok(more) } else { Err(Malformed::Http(httparse::Error::Version)) };
        };
        let end = self.searched + found + END.len();
        Ok(Decoded::Frame(Head::parse(&input[..end])?, end))
    }
}

impl Head {
    fn parse(head: &[u8]) -> Result<Self, Malformed> {
        let mut fields = [EMPTY_HEADER; FIELDS];
        let mut response = Response::new(&mut fields);
        match response.parse(head).map_err(Malformed::Http)? {
            Status::Complete(len) if len == head.len() => {}
            _ => return Err(Malformed::Http(httparse::Error::NewLine)),
        }
        let status = response.code.unwrap_or_default();
        let has = |name: &str, word: &str| {
            let named =
                response.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            named
                .flat_map(|field| field.value.split(|byte| *byte == b','))
                .any(|found| found.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        };
        let length =
            response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
        let body = if matches!(status, 100..=199 | 204 | 304) {
            Body::Length(0)
        } else if has("transfer-encoding", "chunked") {
            Body::Chunked
        } else if let Some(length) = length {
            let digits =
                std::str::from_utf8(length.value).ok().filter(|text| !text.starts_with('+'));
            Body::Length(digits.and_then(|text| text.trim().parse().ok()).ok_or(Malformed::Length)?)
        } else {
            Body::ToEnd
        };
        let keeps_open = !has("connection", "close")
            && body != Body::ToEnd
            && (response.version == Some(1) || has("connection", "keep-alive"));
        Ok(Self { status, body, keeps_open })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` byte by byte.
    fn feed(input: &str) -> Result<Option<Head>, Malformed> {
        let mut decoder = Heads::default();
        for end in 0..=input.len() {
            if let Decoded::Frame(head, used) = decoder.decode(&input.as_bytes()[..end])? {
                assert_eq!((end, used), (input.len(), input.len()));
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    #[test]
    fn heads_however_they_are_cut() {
        let head = |status, body, keeps_open| Ok(Some(Head { status, body, keeps_open }));
        for (input, expected) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n", head(200, Body::Length(42), true)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n",
                head(200, Body::Chunked, true),
            ),
            (
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                head(404, Body::Length(0), false),
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", head(200, Body::Length(1), false)),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nconnection: Keep-Alive\r\n\r\n",
                head(200, Body::Length(1), true),
            ),
            ("HTTP/1.1 200 \r\nx: y\r\n\r\n", head(200, Body::ToEnd, false)),
            (
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
                head(304, Body::Length(0), true),
            ),
            ("HTTP/1.1 100 Continue\r\n\r\n", head(100, Body::Length(0), true)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 42\r\n", Ok(None)),
        ] {
            assert_eq!(feed(input), expected, "{input:?}");
        }
    }

    #[test]
    fn what_is_no_head() {
        for input in [
            "+OK\r\n",
            "HTTP/2 200\r\n\r\n",
            "HTTP/1.1 x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
        ] {
            assert!(feed(input).is_err(), "{input:?}");
        }
    }
}
