//! The fields that a proxy does not pass on.

use fsm_examples::http::Fields;

/// Fields of one connection, and those that the proxy writes itself.
const OWN: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Fields that mean something only in a head.
const HEAD_ONLY: &[&str] = &[
    "age",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-range",
    "content-type",
    "cookie",
    "date",
    "expires",
    "forwarded",
    "location",
    "max-forwards",
    "pragma",
    "range",
    "retry-after",
    "set-cookie",
    "trailer",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-real-ip",
];

fn is_in(list: &[&str], name: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(name))
}

fn is_own(name: &str) -> bool {
    let is_for_proxies = name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("proxy-"));
    is_for_proxies || is_in(OWN, name)
}

/// Whether `Connection` may name other fields, which are not passed on.
pub(crate) fn names_others(fields: &Fields<'_>) -> bool {
    let is_other = |value: &[u8]| {
        !value.eq_ignore_ascii_case(b"keep-alive") && !value.eq_ignore_ascii_case(b"close")
    };
    fields.values("connection").any(is_other)
}

/// Whether a field is passed on if `Connection` does not name it: it concerns neither this connection alone, nor the
/// framing. A name with `_` is not, because some programs take it for the one with `-`.
pub(crate) fn may_pass(name: &str, chunked: bool) -> bool {
    !is_own(name) && !name.contains('_') && (chunked || !name.eq_ignore_ascii_case("trailer"))
}

/// Whether a trailer line is passed on. Nothing that decides about a message is taken from behind its body.
pub(crate) fn trailer_passes(line: &[u8]) -> bool {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    std::str::from_utf8(name)
        .is_ok_and(|name| !is_own(name) && !is_in(HEAD_ONLY, name) && !name.contains('_'))
}
