use std::hash::{BuildHasher, Hasher, RandomState};

use serde_json::{Value, json};

use crate::Cx;

/// An answer.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: Status,
    kind: &'static str,
    body: String,
    /// A further field of the head.
    field: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok = 200,
    BadRequest = 400,
    Unauthorized = 401,
    NotFound = 404,
    NotAllowed = 405,
    Conflict = 409,
    Gone = 410,
    Misdirected = 421,
    TooLarge = 431,
    Unavailable = 503,
}

const JSON: &str = "application/json";
/// The fields of every answer that forbid browsers to let another page use it.
const FIELDS: &str = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
                      Cross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n";
const PAGE: &str = include_str!("page.html");

impl Status {
    fn reason(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::BadRequest => "Bad Request",
            Self::Unauthorized => "Unauthorized",
            Self::NotFound => "Not Found",
            Self::NotAllowed => "Method Not Allowed",
            Self::Conflict => "Conflict",
            Self::Gone => "Gone",
            Self::Misdirected => "Misdirected Request",
            Self::TooLarge => "Request Header Fields Too Large",
            Self::Unavailable => "Service Unavailable",
        }
    }
}

impl Response {
    fn new(status: Status, kind: &'static str, body: String) -> Self {
        Self { status, kind, body, field: None }
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::new(Status::Ok, JSON, format!("{value}\n"))
    }

    pub(super) fn text(body: String) -> Self {
        Self::new(Status::Ok, "text/plain; charset=utf-8", body)
    }

    pub(super) fn metrics(body: String) -> Self {
        Self::new(Status::Ok, "text/plain; version=0.0.4; charset=utf-8", body)
    }

    pub(super) fn page() -> Self {
        Self::new(Status::Ok, "text/html; charset=utf-8", String::new())
    }

    /// An answer that says why there is no other.
    pub(super) fn error(status: Status, why: &str) -> Self {
        let field = match status {
            Status::Unauthorized => Some("WWW-Authenticate: Bearer"),
            _ => None,
        };
        Self { field, ..Self::new(status, JSON, format!("{}\n", json!({ "error": why }))) }
    }

    pub(super) fn not_found() -> Self {
        Self::error(Status::NotFound, "there is nothing at this path")
    }

    /// Refuses the method, and names those that there are.
    pub(super) fn not_allowed(allow: &'static str) -> Self {
        let refused = Self::error(Status::NotAllowed, "this path has other methods");
        Self { field: Some(allow), ..refused }
    }

    /// Writes the answer, without its body to a `HEAD`.
    pub(super) fn write(mut self, cx: &mut Cx<'_>, is_head: bool, closes: bool) {
        let mut policy = "default-src 'none'; frame-ancestors 'none'".to_owned();
        if self.kind.starts_with("text/html") {
            // Nothing but the page's own script runs, whatever text it shows.
            let nonce = format!("{:016x}", RandomState::new().build_hasher().finish());
            self.body = PAGE.replace("NONCE", &nonce);
            policy = format!(
                "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
                 connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; \
                 form-action 'none'"
            );
        }
        let Self { status, kind, body, field } = self;
        write!(cx, "HTTP/1.1 {} {}\r\n", status as u16, status.reason());
        write!(cx, "Content-Type: {kind}\r\nContent-Length: {}\r\n{FIELDS}", body.len());
        write!(cx, "Content-Security-Policy: {policy}\r\n");
        if let Some(field) = field {
            write!(cx, "{field}\r\n");
        }
        if closes {
            cx.write(b"Connection: close\r\n");
        }
        cx.write(b"\r\n");
        if !is_head {
            cx.write(body.as_bytes());
        }
    }
}

/// Writes the head of an answer whose body goes on until the connection ends.
pub(super) fn begin_stream(cx: &mut Cx<'_>) {
    write!(
        cx,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n{FIELDS}Connection: close\r\n\r\n"
    );
}
