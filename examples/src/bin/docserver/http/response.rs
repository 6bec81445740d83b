//! Responses.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::time::SystemTime;

use super::date::push_date;
use super::{Representation, Status};

/// The interim response that a client with `Expect: 100-continue` waits for before it sends a body.
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The facts about a request that the response depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    /// The request was HEAD: the response is that of GET without its body.
    pub(crate) is_head: bool,
    /// The connection stays open after the response.
    pub(crate) keep_alive: bool,
}

impl Exchange {
    /// The exchange of the last response on a connection, to a request that could not be parsed.
    pub(crate) const LAST: Self = Self { is_head: false, keep_alive: false };
}

/// The head of a response.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    status: Status,
    fields: String,
}

impl Response {
    pub(crate) fn new(status: Status) -> Self {
        Self { status, fields: String::new() }
    }

    /// Adds a field. The value must not contain data of a client, because it is not escaped.
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        let start = self.fields.len();
        let _ = write!(self.fields, "{name}: {value}");
        debug_assert!(!self.fields[start..].contains(char::is_control), "a field of one line");
        self.fields.push_str("\r\n");
        self
    }

    /// Sets JSON as the media type, forbids browsers to guess another one or to run the body with this
    /// server's rights, and forbids caches to store it.
    pub(crate) fn json(self) -> Self {
        self.with("Content-Type", "application/json")
            .with("X-Content-Type-Options", "nosniff")
            .with("Content-Security-Policy", "sandbox; default-src 'none'")
            .with("Cache-Control", "no-store")
    }

    /// Sets HTML as the media type, and lets the page run its own script and talk to this server.
    pub(crate) fn page(self) -> Self {
        self.with("Content-Type", "text/html; charset=utf-8")
            .with("X-Content-Type-Options", "nosniff")
            .with(
                "Content-Security-Policy",
                "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                 connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            )
            .with("Cache-Control", "no-cache")
    }

    /// Writes the response with its complete body.
    pub(crate) fn send(
        &self,
        out: &mut impl Write,
        exchange: Exchange,
        now: SystemTime,
        body: &[u8],
    ) -> io::Result<()> {
        let len = u64::try_from(body.len()).unwrap_or(u64::MAX);
        let len = (!self.status.is_bodiless()).then_some(len);
        self.write(out, exchange.keep_alive, now, len, "")?;
        if exchange.is_head || self.status.is_bodiless() {
            return Ok(());
        }
        out.write_all(body)
    }

    /// Writes the head of an answer that describes a document; `len` bytes of it follow, unless the request
    /// was HEAD or the status has no body.
    pub(crate) fn announce(
        &self,
        out: &mut impl Write,
        exchange: Exchange,
        now: SystemTime,
        representation: &Representation,
        len: u64,
    ) -> io::Result<()> {
        let is_bodiless = self.status.is_bodiless();
        let lines =
            if is_bodiless { representation.validator_lines() } else { representation.lines() };
        self.write(out, exchange.keep_alive, now, (!is_bodiless).then_some(len), lines)
    }

    /// Writes the head of a response whose body ends with the connection.
    pub(crate) fn open(&self, out: &mut impl Write, now: SystemTime) -> io::Result<()> {
        self.write(out, false, now, None, "")
    }

    /// Writes the fields of this response, and then `lines`, which are fields, too.
    fn write(
        &self,
        out: &mut impl Write,
        keep_alive: bool,
        now: SystemTime,
        len: Option<u64>,
        lines: &str,
    ) -> io::Result<()> {
        // One `write_all`, because the writer may be a socket.
        let mut head = String::with_capacity(192 + self.fields.len() + lines.len());
        head.push_str("HTTP/1.1 ");
        head.push_str(itoa::Buffer::new().format(self.status.code()));
        head.push(' ');
        head.push_str(self.status.reason());
        head.push_str("\r\nDate: ");
        push_date(&mut head, now);
        head.push_str("\r\nConnection: ");
        head.push_str(if keep_alive { "keep-alive" } else { "close" });
        if let Some(len) = len {
            head.push_str("\r\nContent-Length: ");
            head.push_str(itoa::Buffer::new().format(len));
        }
        head.push_str("\r\n");
        head.push_str(&self.fields);
        head.push_str(lines);
        head.push_str("\r\n");
        out.write_all(head.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::http::{Refusal, RefusalAnswer as _};

    const KEPT: Exchange = Exchange { is_head: false, keep_alive: true };

    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(784_111_777)
    }

    fn sent(response: &Response, exchange: Exchange, body: &str) -> String {
        let mut out = Vec::new();
        response.send(&mut out, exchange, now(), body.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_answer_is_a_head_and_a_body() {
        let response = Response::new(Status::Ok).with("Content-Type", "text/plain");
        let head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Connection: keep-alive\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\n";
        assert_eq!(sent(&response, KEPT, "hello"), format!("{head}hello"));
        assert_eq!(sent(&response, Exchange { is_head: true, ..KEPT }, "hello"), head);
        assert!(sent(&response, Exchange::LAST, "").contains("\r\nConnection: close\r\n"));
    }

    #[test]
    fn some_answers_have_no_body() {
        let answer = sent(&Response::new(Status::NoContent), KEPT, "hello");
        assert!(answer.ends_with("\r\n\r\n") && !answer.contains("Content-Length"), "{answer}");
    }

    #[test]
    fn an_answer_describes_its_document() {
        let document = Representation::new("a.txt", "5ha2".to_owned(), now(), 5);
        for (status, has_body) in [(Status::NotModified, false), (Status::Ok, true)] {
            let mut out = Vec::new();
            Response::new(status).announce(&mut out, KEPT, now(), &document, 5).unwrap();
            let head = String::from_utf8(out).unwrap();
            assert!(
                head.contains("\r\nETag: \"5ha2\"\r\nLast-Modified: Sun, 06 Nov 1994"),
                "{head}"
            );
            assert!(head.ends_with("\r\n\r\n"), "{head}");
            assert_eq!(head.contains("\r\nContent-Length: 5\r\n"), has_body, "{head}");
            assert_eq!(head.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), has_body);
        }
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let mut out = Vec::new();
        let events = Response::new(Status::Ok).with("Content-Type", "text/event-stream");
        events.open(&mut out, now()).unwrap();
        let head = String::from_utf8(out).unwrap();
        assert!(head.contains("Connection: close") && !head.contains("Content-Length"), "{head}");
    }

    #[test]
    fn a_refusal_has_its_reason_as_body() {
        let refusal = Refusal::not_allowed("GET, HEAD");
        let mut out = Vec::new();
        refusal.response().send(&mut out, Exchange::LAST, now(), &refusal.body()).unwrap();
        let answer = String::from_utf8(out).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
        assert!(answer.contains("\r\nAllow: GET, HEAD\r\n"), "{answer}");
        let body = r#"{"status":405,"error":"the resource does not have this method"}"#;
        assert!(answer.ends_with(body), "{answer}");
    }
}
