//! The heads that the proxy passes on.

use std::io::Write as _;
use std::net::IpAddr;

use fsm_examples::http::{Fields, Framing, is_token};
use fsm_runtime::Peer;

use super::answer::Answer;
use super::fields::{may_pass, names_others};
use super::request::Request;

/// The name of this proxy in `Via`.
const VIA: &[u8] = b"1.1 fsm-proxy";

/// Fields to which the proxy adds, and does not pass on as they are.
const ADDED: &[&str] = &["forwarded", "via", "x-forwarded-for", "x-forwarded-proto"];

/// The client that has sent a request, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender {
    pub(crate) peer: Peer,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
}

/// Formats the head of a request for the target.
pub(crate) fn request_head(request: &Request<'_>, sender: Sender) -> Vec<u8> {
    let Sender { peer, scheme } = sender;
    let mut out = [request.method, b" ", &request.target, b" HTTP/1.1\r\n"].concat();
    // HTTP/1.1 requires the field, and HTTP/1.0 does not.
    field(&mut out, "Host", request.host.unwrap_or_default());
    pass_fields(&mut out, &request.fields, request.framing == Framing::Chunked);
    let (address, node) = match peer {
        Peer::Tcp(address) => (address.ip().to_string(), node(address.ip())),
        _ => ("unknown".to_owned(), "unknown".to_owned()),
    };
    added(&mut out, &request.fields, "X-Forwarded-For", address.as_bytes());
    let mut forwarded = format!("for={node};proto={scheme}").into_bytes();
    if let Some(host) = request.host {
        let quote: &[u8] = if is_token(host) { b"" } else { b"\"" };
        forwarded.extend([b";host=", quote, host, quote].concat());
    }
    added(&mut out, &request.fields, "Forwarded", &forwarded);
    field(&mut out, "X-Forwarded-Proto", scheme.as_bytes());
    added(&mut out, &request.fields, "Via", VIA);
    if request.expects_continue {
        field(&mut out, "Expect", b"100-continue");
    }
    frame(&mut out, request.framing);
    out.extend_from_slice(b"\r\n");
    out
}

/// How the proxy goes on after the head of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onward {
    /// The framing that the client sees.
    pub(crate) framing: Framing,
    /// The value of `Connection`, if it has to be said.
    pub(crate) connection: Option<&'static str>,
}

/// Formats the head of an answer for the client.
pub(crate) fn answer_head(answer: &Answer<'_>, onward: Onward) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a `Vec` never fails.
    let _ = write!(out, "HTTP/1.1 {} ", answer.status);
    out.extend_from_slice(answer.reason);
    out.extend_from_slice(b"\r\n");
    pass_fields(&mut out, &answer.fields, onward.framing == Framing::Chunked);
    added(&mut out, &answer.fields, "Via", VIA);
    if let Some(connection) = onward.connection {
        field(&mut out, "Connection", connection.as_bytes());
    }
    frame(&mut out, onward.framing);
    out.extend_from_slice(b"\r\n");
    out
}

fn pass_fields(out: &mut Vec<u8>, fields: &Fields<'_>, chunked: bool) {
    let is_added = |name: &str| ADDED.iter().any(|added| added.eq_ignore_ascii_case(name));
    let names_others = names_others(fields);
    for (name, value) in fields.iter() {
        let is_named = names_others && fields.has_word("connection", name);
        if !is_named && may_pass(name, chunked) && !is_added(name) {
            field(out, name, value);
        }
    }
}

fn field(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Writes a list with one more element.
fn added(out: &mut Vec<u8>, fields: &Fields<'_>, name: &str, element: &[u8]) {
    let is_passed = !(names_others(fields) && fields.has_word("connection", name));
    let values = fields.values(name).filter(|value| is_passed && is_complete(value));
    let all: Vec<&[u8]> = values.chain([element]).collect();
    field(out, name, &all.join(&b", "[..]));
}

/// Whether a value can stand before another one: it is not empty, and ends outside of quotes, so that it does not
/// swallow what follows.
fn is_complete(value: &[u8]) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    for byte in value {
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
    }
    !value.is_empty() && !quoted
}

fn frame(out: &mut Vec<u8>, framing: Framing) {
    match framing {
        Framing::None => {}
        Framing::Length(len) => field(out, "Content-Length", len.to_string().as_bytes()),
        Framing::Chunked => field(out, "Transfer-Encoding", b"chunked"),
    }
}

/// A client as RFC 7239 writes it.
fn node(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    }
}
