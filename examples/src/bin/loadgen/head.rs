//! The heads of HTTP answers, and of the chunks of their bodies.

use fsm_examples::http::{Fields, Framing, Refusal, Scan, StatusLine, keeps_alive, split};
use fsm_runtime::{Decoded, Frame, frame};

/// The facts in the head of an answer that a client needs.
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

/// The decoder of heads.
#[derive(Debug, Default)]
pub(crate) struct Heads(Scan);

impl Frame for Heads {
    type Item<'a> = Head;
    type Error = Refusal;

    fn decode(&mut self, input: &[u8]) -> Result<Decoded<Head>, Refusal> {
        // Bytes that do not begin like an answer have no end to wait for.
        if !b"HTTP/1.".iter().zip(input).all(|(one, other)| one == other) {
            return Err(Refusal::bad("the answer is not HTTP/1"));
        }
        Ok(match self.0.head(input)? {
            Some(range) => Decoded::Frame(Head::parse(&input[range.clone()])?, range.end),
            None => Decoded::More(input.len() + 1),
        })
    }
}

impl Head {
    fn parse(head: &[u8]) -> Result<Self, Refusal> {
        let (line, lines) = split(head);
        let StatusLine { version, status, .. } =
            StatusLine::parse_rest(line.get(1..).unwrap_or_default())?;
        let fields = Fields::parse(lines)?;
        let body = match Framing::parse(&fields, version)? {
            _ if matches!(status, 100..=199 | 204 | 304) => Body::Length(0),
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunked,
            Framing::None => Body::ToEnd,
        };
        let keeps_open = body != Body::ToEnd && keeps_alive(&fields, version);
        Ok(Self { status, body, keeps_open })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` byte by byte.
    fn feed(input: &str) -> Result<Option<Head>, Refusal> {
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
