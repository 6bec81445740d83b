//! The list of documents.

use rusqlite::params;

use super::document::COLUMNS;
use super::{Document, Error, Store};
use crate::api;

/// A page of the list.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) documents: Vec<Document>,
    /// Whether more documents follow this page.
    pub(crate) has_more: bool,
}

impl Store {
    /// The first `limit` documents whose names come after `after`, by the bytes of their names.
    ///
    /// A page starts at a name, not at a number, so that documents filed or deleted meanwhile do
    /// not shift the others.
    pub(crate) fn list(&self, after: &str, limit: usize) -> Result<Page, Error> {
        let query =
            format!("SELECT {COLUMNS} FROM documents WHERE name > ?1 ORDER BY name LIMIT ?2");
        let mut statement = self.sql.prepare_cached(&query)?;
        let rows = statement
            .query_map(params![after, limit + 1], |row| Document::read(row, &self.directory))?;
        let mut documents = rows.collect::<Result<Vec<_>, _>>()?;
        let has_more = documents.len() > limit;
        documents.truncate(limit);
        Ok(Page { documents, has_more })
    }
}

impl From<Page> for api::List {
    fn from(page: Page) -> Self {
        let last = page.documents.last().filter(|_| page.has_more);
        Self {
            next: last.map(|document| document.name.clone()),
            docs: page.documents.into_iter().map(Into::into).collect(),
        }
    }
}
