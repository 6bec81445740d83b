//! The catalog pool: plain workers that look documents up. They only read, so that threads that
//! file documents never hold them up.

use std::fs::File;

use fsm_runtime::prelude::*;

use crate::api;
use crate::http::{Name, Refusal, Status};
use crate::store::{Document, Error, Store};

/// The service of the pool.
pub(crate) struct Catalog;

impl Service for Catalog {
    type Job = Lookup;
    type Reply = Found;
}

/// A job of the pool: a lookup.
#[derive(Debug)]
pub(crate) enum Lookup {
    Find(Name),
    List { after: String, limit: usize },
    Search { query: String, limit: usize },
}

/// The reply to a lookup.
#[derive(Debug)]
pub(crate) enum Found {
    Document(Document, File),
    Json(Vec<u8>),
    Refused(Refusal),
}

/// Runs a lookup.
pub(crate) fn look_up(store: &Store, lookup: Lookup) -> Found {
    find(store, lookup).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot look up a document");
        Found::Refused(error.refusal())
    })
}

fn find(store: &Store, lookup: Lookup) -> Result<Found, Error> {
    Ok(match lookup {
        Lookup::Find(name) => match store.open_file(&name)? {
            Some((document, file)) => Found::Document(document, file),
            None => Found::Refused(MISSING),
        },
        Lookup::List { after, limit } => {
            Found::Json(api::List::from(store.list(&after, limit)?).to_json())
        }
        Lookup::Search { query, limit } => {
            Found::Json(api::Search { hits: store.search(&query, limit)? }.to_json())
        }
    })
}

/// The refusal of a request for a name that no document has.
pub(crate) const MISSING: Refusal =
    Refusal::new(Status::NotFound, "there is no document of this name");
