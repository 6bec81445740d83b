use serde_json::json;

use super::query;
use super::request::{Method, Request};
use super::response::{Response, Status};
use super::shared::{ConsoleShared, WITHIN};
use crate::EndError;

/// Answers a request that changes something. Without a token there is no such path.
pub(super) fn answer(request: &Request, path: &[&str], shared: &ConsoleShared) -> Response {
    if !shared.guard.has_token() {
        return Response::error(
            Status::NotFound,
            "the console has no token, so it changes nothing",
        );
    }
    if request.method != Method::Post {
        return Response::not_allowed("Allow: POST");
    }
    if !request.token.as_ref().is_some_and(|token| shared.guard.is_token(token)) {
        return Response::error(Status::Unauthorized, "this needs the token of the console");
    }
    match path {
        ["connections", key, "end"] => end(key, shared),
        ["pools", name, "drain"] => drain(name, shared),
        _ => Response::not_found(),
    }
}

fn end(text: &str, shared: &ConsoleShared) -> Response {
    let Some(key) = query::key(text) else {
        return Response::error(Status::BadRequest, "a key looks like 5-17");
    };
    let status = match shared.observer.end(key, WITHIN) {
        Ok(()) => {
            crate::log::info!(%key, "the console ends a connection");
            return Response::json(&json!({ "ends": key.to_string() }));
        }
        Err(error) => error,
    };
    let why = status.to_string();
    match status {
        EndError::Gone => Response::error(Status::Gone, &why),
        EndError::Job => Response::error(Status::Conflict, &why),
        EndError::Busy => Response::error(Status::Unavailable, &why),
    }
}

fn drain(name: &str, shared: &ConsoleShared) -> Response {
    if !shared.observer.drain(name) {
        return Response::error(Status::NotFound, "no pool has this name");
    }
    crate::log::info!(pool = name, "the console drains a pool");
    Response::json(&json!({ "drains": name }))
}
