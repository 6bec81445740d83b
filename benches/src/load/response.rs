use std::io;

use super::http;

/// The response that a client expects.
#[derive(Debug)]
pub(crate) enum Expected {
    /// Exactly these bytes.
    Bytes(Vec<u8>),
    /// Any bytes of this number.
    Length(usize),
    /// A successful HTTP response with a body of this length.
    Http { body: usize },
}

/// The received part of a response.
#[derive(Debug, Default)]
pub(super) struct Received {
    /// Bytes of the body, or of a response without a head.
    count: usize,
    head: http::Head,
}

impl Received {
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.head.clear();
    }
}

impl Expected {
    /// Adds `bytes` to the received part; returns whether the response is complete.
    ///
    /// # Errors
    ///
    /// Fails if the response differs from the expected one.
    pub(super) fn take(&self, received: &mut Received, bytes: &[u8]) -> io::Result<bool> {
        let bytes = match self {
            Self::Http { .. } => received.head.take(bytes)?,
            _ => bytes,
        };
        let end = received.count + bytes.len();
        let (length, matches) = match self {
            Self::Bytes(all) => (all.len(), all.get(received.count..end) == Some(bytes)),
            Self::Length(length) => (*length, end <= *length),
            Self::Http { body } => {
                if received.head.is_complete() && received.head.body_length() != *body {
                    return Err(io::Error::other("the body has a wrong length"));
                }
                (*body, end <= *body)
            }
        };
        if !matches {
            let excerpt = bytes[..bytes.len().min(80)].escape_ascii();
            return Err(io::Error::other(format!("the response is wrong: {excerpt}")));
        }
        received.count = end;
        let has_head = !matches!(self, Self::Http { .. }) || received.head.is_complete();
        Ok(end == length && has_head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete(expected: &Expected, parts: &[&[u8]]) -> Vec<bool> {
        let mut received = Received::default();
        parts.iter().map(|part| expected.take(&mut received, part).unwrap()).collect()
    }

    #[test]
    fn a_response_is_complete_after_its_last_byte() {
        let parts: [&[u8]; 2] = [b"+O", b"K\r\n"];
        assert_eq!(complete(&Expected::Bytes(b"+OK\r\n".to_vec()), &parts), [false, true]);
        assert_eq!(complete(&Expected::Length(5), &parts), [false, true]);
        let parts: [&[u8]; 3] = [b"HTTP/1.1 200 OK\r\ncontent-", b"length: 3\r\n\r\na", b"bc"];
        assert_eq!(complete(&Expected::Http { body: 3 }, &parts), [false, false, true]);
        let parts: [&[u8]; 2] = [b"HTTP/1.1 204 No Content\r\n\r", b"\n"];
        assert_eq!(complete(&Expected::Http { body: 0 }, &parts), [false, true]);
    }

    #[test]
    fn a_wrong_response_is_an_error() {
        let wrong: [(Expected, &[u8]); 5] = [
            (Expected::Bytes(b"+OK\r\n".to_vec()), b"-ER"),
            (Expected::Bytes(b"+OK\r\n".to_vec()), b"+OK\r\n+"),
            (Expected::Length(1), b"ab"),
            (Expected::Http { body: 1 }, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
            (Expected::Http { body: 0 }, b"HTTP/1.1 500 No\r\n\r\n"),
        ];
        for (expected, bytes) in wrong {
            assert!(expected.take(&mut Received::default(), bytes).is_err(), "{expected:?}");
        }
    }
}
