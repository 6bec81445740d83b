//! What is asked for.

use super::query::Query;
use super::{Head, Method, Name, Refusal, Status};

/// Rows of a page of the list, or hits of a search, if the client does not say.
const LIMIT: usize = 20;
/// The most of them.
const MAX_LIMIT: usize = 100;

/// What is asked for. HEAD takes the same route as GET; the answer's [`Exchange`](super::Exchange)
/// leaves the body out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The page for people.
    Page,
    /// A page of the list of documents: those whose names come after `after`.
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
    /// What is filed from now on, as it happens.
    Events,
}

impl Route {
    /// Finds the route of a request. Of the routes only [`Put`](Self::Put) takes a body.
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
            return Err(Refusal::bad("the request has a body, but no use for it"));
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
