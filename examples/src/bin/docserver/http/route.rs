//! Routes: the resource and the action that a request asks for.

use super::query::Query;
use super::{Head, Method, Name, Refusal, Status};

/// The rows of a page or hits of a search if the client sets no limit.
const LIMIT: usize = 20;
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
            ("/events", Method::Get) => Self::Events,
            ("/events", _) => return Err(Refusal::not_allowed("GET")),
            ("/" | "/docs" | "/search", _) => return Err(Refusal::not_allowed("GET, HEAD")),
            ("*", _) => return Err(Refusal::not_allowed("GET, HEAD, PUT, DELETE")),
            (path, method) => match path.strip_prefix("/docs/") {
                Some(name) if !name.is_empty() && !name.contains('/') => document(name, method)?,
                _ => return Err(Refusal::new(Status::NotFound, "there is no such resource")),
            },
        };
        if !matches!(route, Self::Put(_)) && !head.framing.is_empty() {
            return Err(Refusal::bad("this request takes no body"));
        }
        Ok(route)
    }
}

fn document(name: &str, method: Method) -> Result<Route, Refusal> {
    let name = Name::from_path(name)?;
    match method {
        Method::Get | Method::Head => Ok(Route::Get(name)),
        Method::Put => Ok(Route::Put(name)),
        Method::Delete => Ok(Route::Delete(name)),
        _ => Err(Refusal::not_allowed("GET, HEAD, PUT, DELETE")),
    }
}
