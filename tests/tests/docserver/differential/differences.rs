//! The documented differences between `docserver` and nginx 1.22. Sections are those of RFC 9110.

use super::requests::Request;

/// A difference in the answers to some requests.
pub(super) struct Difference {
    pub(super) reason: &'static str,
    pub(super) applies: fn(&Request) -> bool,
    /// The statuses of `docserver`; nginx has others, or treats the connection in another way.
    pub(super) statuses: &'static [u16],
}

pub(super) const DIFFERENCES: &[Difference] = &[
    Difference {
        reason: "a range is for GET alone (14.2); nginx answers HEAD with it",
        applies: |request| request.method == "HEAD" && request.has("\nRange:"),
        statuses: &[200],
    },
    Difference {
        reason: "malformed ranges and several ranges may be ignored (14.2); nginx refuses them",
        applies: |request| MALFORMED_RANGES.iter().any(|range| request.has(range)),
        statuses: &[200],
    },
    Difference {
        reason: "no range of an empty document is satisfiable (14.1.2); nginx sends all of it",
        applies: |request| request.document == "empty.txt" && request.has("\nRange:"),
        statuses: &[416],
    },
    Difference {
        reason: "a last position of any length may lie behind the end (14.1.2); nginx refuses large ones",
        applies: |request| request.has("\nRange: bytes=5-99999999999999999999999"),
        statuses: &[206],
    },
    Difference {
        reason: "a date in If-Range is too coarse to join two parts; nginx compares it",
        applies: |request| request.has("\nIf-Range: {modified}"),
        statuses: &[200],
    },
    Difference {
        reason: "a malformed date in If-Unmodified-Since is ignored (13.1.4); nginx refuses the request",
        applies: |request| request.has("\nIf-Unmodified-Since: yesterday"),
        statuses: &[200, 206, 304, 416],
    },
    Difference {
        reason: "If-None-Match takes precedence over If-Modified-Since (13.2.2); nginx looks at both",
        applies: |request| request.has("\nIf-None-Match:") && request.has("\nIf-Modified-Since:"),
        statuses: &[304],
    },
    Difference {
        reason: "If-Match takes precedence over If-Unmodified-Since (13.2.2); nginx looks at both",
        applies: |request| request.has("\nIf-Match:") && request.has("\nIf-Unmodified-Since:"),
        statuses: &[200, 206, 304, 416],
    },
    Difference {
        reason: "nginx refuses fields that are sent twice; `docserver` joins lists, and takes the first date",
        applies: Request::has_twice,
        statuses: &[200, 206, 304, 400, 405, 412, 416],
    },
    Difference {
        reason: "an unknown method is not implemented (9.1); nginx does not allow it, or takes it for malformed",
        applies: |request| matches!(request.method, "BREW" | "TRACE" | "get"),
        statuses: &[501],
    },
    Difference {
        reason: "`docserver` answers OPTIONS (9.3.7); nginx does not",
        applies: |request| request.method == "OPTIONS",
        statuses: &[204],
    },
    Difference {
        reason: "versions: `docserver` supports no major version but 1, in the syntax of RFC 9112",
        applies: |request| !request.has(" HTTP/1.1\r\n") && !request.has(" HTTP/1.0\r\n"),
        statuses: &[400, 505],
    },
    Difference {
        reason: "a target has no fragment (RFC 9112, 3.2); nginx drops it",
        applies: |request| request.has("#part"),
        statuses: &[400],
    },
    Difference {
        reason: "the name of a field is a token (5.1); nginx ignores fields with other names",
        applies: |request| request.has("\nX-(Odd)"),
        statuses: &[400],
    },
    Difference {
        reason: "`docserver` keeps the connection after a malformed target, whose end is known; nginx closes it",
        applies: |request| request.has(" /docs/%zz ") || request.has(" /docs/a%00b "),
        statuses: &[400],
    },
];

const MALFORMED_RANGES: [&str; 8] = [
    "Range: bytes=\r",
    "Range: bytes=-\r",
    "Range: bytes=a-b",
    "Range: bytes=5-2",
    "Range: bytes=1-2x",
    "Range: bytes=1 - 2",
    "Range: bytes=1-2,",
    "Range: bytes = 1-2",
];
