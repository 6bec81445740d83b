//! The answers of the proxy itself.

use std::io::Write as _;
use std::time::SystemTime;

use fsm_examples::http::Refusal;

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
