//! Refusals of requests.

use std::fmt;

use super::Status;

/// The refusal of a request: its status and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: Status,
    /// The reason, in words.
    pub why: &'static str,
    /// The methods that the resource has, for status 405.
    pub allow: Option<&'static str>,
}

impl Refusal {
    /// The refusal on the `limit` edge of the state that reads a head.
    pub const HEAD_TOO_LARGE: Self =
        Self::new(Status::FieldsTooLarge, "the head of the request is too large");

    /// A line between two chunks is longer than the server reads.
    pub const LONG_CHUNK_LINE: Self = Self::bad("a line between two chunks is too long");

    /// A refusal with this status, for this reason.
    pub const fn new(status: Status, why: &'static str) -> Self {
        Self { status, why, allow: None }
    }

    /// A refusal of malformed bytes.
    pub const fn bad(why: &'static str) -> Self {
        Self::new(Status::BadRequest, why)
    }

    /// The refusal of a method on a resource that has only the methods `allow`.
    pub const fn not_allowed(allow: &'static str) -> Self {
        let why = "the resource does not have this method";
        Self { status: Status::MethodNotAllowed, why, allow: Some(allow) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.code(), self.why)
    }
}
