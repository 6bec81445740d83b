//! The answers of the proxy itself.

use std::io::Write as _;
use std::time::SystemTime;

use fsm_examples::http::{Refusal, Status};

pub(crate) const UNANSWERED: Refusal =
    Refusal::new(Status::BadGateway, "the server ended the connection without an answer");
pub(crate) const UNREADABLE: Refusal =
    Refusal::new(Status::BadGateway, "the server sent an answer that cannot be read");
pub(crate) const SILENT: Refusal =
    Refusal::new(Status::GatewayTimeout, "the server did not answer in time");
pub(crate) const UNREACHED: Refusal =
    Refusal::new(Status::GatewayTimeout, "no server could be reached in time");
pub(crate) const SHUNNED: Refusal =
    Refusal::new(Status::ServiceUnavailable, "no server takes requests");

/// Formats the answer that says why there is no other one.
pub(crate) fn page(refusal: &Refusal, is_head: bool, keep_alive: bool, now: SystemTime) -> Vec<u8> {
    let (code, reason) = (refusal.status.code(), refusal.status.reason());
    let body = format!("{code} {reason}: {}\n", refusal.why);
    let mut out = Vec::new();
    // Writing to a `Vec` never fails.
    let _ = write!(
        out,
        "HTTP/1.1 {code} {reason}\r\nDate: {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
         Connection: {}\r\n\r\n{}",
        httpdate::fmt_http_date(now),
        body.len(),
        if keep_alive { "keep-alive" } else { "close" },
        if is_head { "" } else { &body },
    );
    out
}
