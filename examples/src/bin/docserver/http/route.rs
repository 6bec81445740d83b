//! Routes: the resource and the action that a request asks for.

use super::query::Query;
use super::{Head, Method, Name, Refusal, Status};

/// The rows of a page or hits of a search if the client sets no limit.
const LIMIT: usize = 20;
/// The methods of a resource that can be read, and of a document.
const READ: &str = "GET, HEAD, OPTIONS";
const ALL: &str = "GET, HEAD, PUT, DELETE, OPTIONS";
/// The maximum limit.
const MAX_LIMIT: usize = 100;

/// The resource and the action that a request asks for. HEAD has the route of GET;
/// [`Exchange`](super::Exchange) omits the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The HTML page.
    Page,
    /// A page of the list of documents: the names after `after`.
    List {
        after: String,
        limit: usize,
    },
    /// The bytes of a document.
    Get(Name),
    /// A document to file.
    Put(Name),
    Delete(Name),
    Search {
        query: String,
        limit: usize,
    },
    /// The events of documents from now on.
    Events,
    /// The methods of a resource, or `*` of any.
    Options(&'static str),
}

impl Route {
    /// Finds the route of a request. [`Put`](Self::Put) alone takes a body.
    pub(crate) fn find(head: &Head<'_>) -> Result<Self, Refusal> {
        let route = match (head.target.path, head.method) {
            ("/", Method::Get | Method::Head) => Self::Page,
            ("/docs", Method::Get | Method::Head) => {
                let query = Query::parse(head.target.query)?;
                let after = query.value("after")?.unwrap_or_default().to_owned();
                Self::List { after, limit: query.number("limit", LIMIT, MAX_LIMIT)? }
            }
            ("/search", Method::Get | Method::Head) => {
                let query = Query::parse(head.target.query)?;
                let words = query.value("q")?.ok_or(Refusal::bad("`q=` is missing"))?.to_owned();
                Self::Search { query: words, limit: query.number("limit", LIMIT, MAX_LIMIT)? }
            }
            ("/events", Method::Get | Method::Head) => Self::Events,
            ("/" | "/docs" | "/search" | "/events", Method::Options) => Self::Options(READ),
            ("/" | "/docs" | "/search" | "/events", _) => return Err(Refusal::not_allowed(READ)),
            // The target `*` is of OPTIONS alone.
            ("*", _) => Self::Options(ALL),
            (path, method) => match path.strip_prefix("/docs/") {
                Some(name) if !name.is_empty() && !name.contains('/') => document(name, method)?,
                _ => return Err(Refusal::new(Status::NotFound, "there is no such resource")),
            },
        };
        if !matches!(route, Self::Put(_)) && !head.framing.is_empty() {
            return Err(Refusal::bad("this request takes no body"));
        }
        if matches!(route, Self::Put(_)) {
            is_whole_and_plain(head)?;
        }
        Ok(route)
    }
}

/// Checks that the body of a PUT is all of the document, and the document itself, because the server stores
/// the bytes and nothing about them.
fn is_whole_and_plain(head: &Head<'_>) -> Result<(), Refusal> {
    if head.fields.values("content-range").next().is_some() {
        return Err(Refusal::bad("a part of a document cannot be put"));
    }
    let mut codings = head.fields.words("content-encoding");
    if codings.any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        let why = "an encoded document cannot be put";
        return Err(Refusal::new(Status::UnsupportedMediaType, why));
    }
    Ok(())
}

fn document(name: &str, method: Method) -> Result<Route, Refusal> {
    let name = Name::from_path(name)?;
    match method {
        Method::Get | Method::Head => Ok(Route::Get(name)),
        Method::Put => Ok(Route::Put(name)),
        Method::Delete => Ok(Route::Delete(name)),
        Method::Options => Ok(Route::Options(ALL)),
        _ => Err(Refusal::not_allowed(ALL)),
    }
}
