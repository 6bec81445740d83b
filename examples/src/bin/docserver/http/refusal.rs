//! Refusals of requests.

use std::fmt;

use super::{Response, Status};

/// The refusal of a request: its status and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: Status,
    pub(crate) why: &'static str,
    /// The methods that the resource has, for status 405.
    pub(crate) allow: Option<&'static str>,
}

impl Refusal {
    /// The refusal on the `limit` edge of the state that reads a head.
    pub(crate) const HEAD_TOO_LARGE: Self =
        Self::new(Status::FieldsTooLarge, "the head of the request is too large");

    /// A line between two chunks is longer than the server reads.
    pub(crate) const LONG_CHUNK_LINE: Self = Self::bad("a line between two chunks is too long");

    pub(crate) const fn new(status: Status, why: &'static str) -> Self {
        Self { status, why, allow: None }
    }

    pub(crate) const fn bad(why: &'static str) -> Self {
        Self::new(Status::BadRequest, why)
    }

    /// The refusal of a method on a resource that has only the methods `allow`.
    pub(crate) const fn not_allowed(allow: &'static str) -> Self {
        let why = "the resource does not have this method";
        Self { status: Status::MethodNotAllowed, why, allow: Some(allow) }
    }

    /// The response, without [`Refusal::body`].
    pub(crate) fn response(&self) -> Response {
        let response = Response::new(self.status).json();
        match self.allow {
            Some(methods) => response.with("Allow", methods),
            None => response,
        }
    }

    /// The body: the reason as JSON.
    pub(crate) fn body(&self) -> Vec<u8> {
        crate::api::Error { status: self.status.code(), error: self.why }.to_json()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.code(), self.why)
    }
}
