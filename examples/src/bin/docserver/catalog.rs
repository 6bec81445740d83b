//! The catalog pool: plain workers that look up what there is. They only read, so that nobody who
//! files a document keeps them waiting.

use std::fs::File;

use fsm_runtime::prelude::*;

use crate::api;
use crate::http::{Name, Refusal, Status};
use crate::store::{Document, Error, Store};

/// The pool that looks things up.
pub(crate) struct Catalog;

impl Service for Catalog {
    type Job = Ask;
    type Reply = Found;
}

/// What to look up.
#[derive(Debug)]
pub(crate) enum Ask {
    Find(Name),
    List { after: String, limit: usize },
    Search { query: String, limit: usize },
}

/// What was found.
#[derive(Debug)]
pub(crate) enum Found {
    Document(Document, File),
    Json(Vec<u8>),
    Refused(Refusal),
}

/// Looks something up.
pub(crate) fn look(store: &Store, ask: Ask) -> Found {
    find(store, ask).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot look up a document");
        Found::Refused(error.refusal())
    })
}

fn find(store: &Store, ask: Ask) -> Result<Found, Error> {
    Ok(match ask {
        Ask::Find(name) => match store.open_file(&name)? {
            Some((document, file)) => Found::Document(document, file),
            None => Found::Refused(MISSING),
        },
        Ask::List { after, limit } => {
            Found::Json(api::List::from(store.list(&after, limit)?).to_json())
        }
        Ask::Search { query, limit } => {
            Found::Json(api::Search { hits: store.search(&query, limit)? }.to_json())
        }
    })
}

/// Nothing has the name.
pub(crate) const MISSING: Refusal =
    Refusal::new(Status::NotFound, "there is no document of this name");
