use std::cmp::Ordering;
use std::io;
use std::net::SocketAddr;

/// The requests of the clients of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `PING`
    Resp,
    /// A GET of this path.
    Http(&'static str),
}

/// The part of an answer that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    Part,
    /// All of it.
    Whole {
        /// The server has said that it closes the connection.
        closes: bool,
    },
}

impl Protocol {
    pub(super) fn request(self, is_last: bool) -> Vec<u8> {
        match self {
            Self::Resp => b"PING\r\n".to_vec(),
            Self::Http(path) => {
                let close = if is_last { "Connection: close\r\n" } else { "" };
                format!("GET {path} HTTP/1.1\r\nHost: a\r\n{close}\r\n").into_bytes()
            }
        }
    }

    /// The URL for programs that speak HTTP.
    pub(super) fn url(self, address: SocketAddr) -> Option<String> {
        match self {
            Self::Resp => None,
            Self::Http(path) => Some(format!("http://{address}{path}")),
        }
    }

    /// Looks at the bytes of an answer. An error says that they are none.
    pub(super) fn look(self, bytes: &[u8]) -> io::Result<Arrived> {
        let invalid = || {
            let start = bytes[..bytes.len().min(100)].escape_ascii();
            io::Error::new(io::ErrorKind::InvalidData, format!("no answer: {start}"))
        };
        if self == Self::Resp {
            return match bytes {
                b"+PONG\r\n" => Ok(Arrived::Whole { closes: false }),
                _ if b"+PONG\r\n".starts_with(bytes) => Ok(Arrived::Part),
                _ => Err(invalid()),
            };
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(Arrived::Part);
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200 ") {
            return Err(invalid());
        }
        let field = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(field, _)| *field == name).map(|(_, value)| value.trim().to_owned())
        };
        let length = field("content-length").and_then(|it| it.parse::<usize>().ok());
        let length = length.ok_or_else(invalid)?;
        match bytes.len().cmp(&(end + 4 + length)) {
            Ordering::Less => Ok(Arrived::Part),
            Ordering::Greater => Err(invalid()),
            Ordering::Equal => {
                Ok(Arrived::Whole { closes: field("connection").as_deref() == Some("close") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let http = Protocol::Http("/");
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        for part in 0..answer.len() {
            assert_eq!(http.look(&answer[..part]).unwrap(), Arrived::Part);
        }
        assert_eq!(http.look(answer).unwrap(), Arrived::Whole { closes: true });
        assert!(http.look(b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n").is_err());
        assert_eq!(Protocol::Resp.look(b"+PO").unwrap(), Arrived::Part);
        assert_eq!(Protocol::Resp.look(b"+PONG\r\n").unwrap(), Arrived::Whole { closes: false });
        assert!(Protocol::Resp.look(b"-ERR\r\n").is_err());
    }
}
