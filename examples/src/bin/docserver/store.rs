//! The documents, in a directory: their bytes as files, what is known of them in `SQLite`.
//!
//! ```text
//! docs/<sha256>-<unique>    the bytes of a document
//! tmp/<unique>              what clients are sending
//! index.sqlite              a row and the words of each document
//! lock                      held by the process that uses the directory
//! ```
//!
//! A document is there when its row is. Filing one takes steps, which may be as far apart as one
//! likes:
//!
//! 1. A [`Spool`] takes the bytes, and [`Spooled::digest`] reads them once more.
//! 2. [`Store::settle`] makes the file durable, and then its place in `docs`, under a name that no
//!    other file ever has.
//! 3. [`Store::index`] writes the row and the words and removes those of the document that had
//!    the name before, all in one transaction.
//! 4. [`cleanup`] removes the file of that one.
//!
//! Why a document is there wholly or not at all, whenever the process is killed or the power fails:
//!
//! - Until the transaction of step 3 is durable, the old row stands, and nothing has touched its
//!   file: the old document is whole. What the steps left behind is a file in `tmp`, or one in
//!   `docs` that no row names.
//! - When it is durable, so is the new file, because step 2 came before: file, directory, row, in
//!   this order. The new document is whole. What was not removed is a file that no row names.
//! - The row and the words are never apart, because they change in one transaction.
//! - Deleting is step 3 without a new row, and step 4.
//!
//! So what a crash leaves is only ever too much, and [`Store::open`] removes it: everything in
//! `tmp`, and what no row names in `docs`. It may do so because nobody else uses the directory,
//! which the lock makes sure of. A row whose file is missing or of another length cannot come
//! from a crash; if somebody has made it so, it goes, too, and [`Recovery`] says which.
//!
//! A file is never written to after step 2. So a client that is being sent one gets the document
//! as it was, also if it is replaced or deleted meanwhile: an open file outlives its name.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::http::Name;

mod directory;
mod document;
mod error;
mod filing;
mod listing;
mod recovery;
mod search;
mod snippet;
mod spool;
mod sql;
mod text;

pub(crate) use directory::Directory;
pub(crate) use document::{Digest, Document};
pub(crate) use error::Error;
pub(crate) use filing::{Filed, Settled, cleanup};
pub(crate) use recovery::Recovery;
pub(crate) use spool::{Digested, Spool, Spooled};

/// The documents, as one thread sees them. Each thread has its own, of the same [`Directory`].
#[derive(Debug)]
pub(crate) struct Store {
    directory: Arc<Directory>,
    sql: Connection,
}

impl Store {
    /// Opens the store in a directory, which is made if there is none, and removes what a crash
    /// left behind.
    pub(crate) fn open(root: impl AsRef<Path>) -> Result<(Self, Recovery), Error> {
        let directory = Arc::new(Directory::open(root.as_ref())?);
        let mut sql = sql::connect(&directory)?;
        sql::create(&mut sql, &directory)?;
        let recovery = recovery::recover(&mut sql, &directory)?;
        Ok((Self { directory, sql }, recovery))
    }

    /// Opens it once more, for another thread.
    pub(crate) fn connect(directory: &Arc<Directory>) -> Result<Self, Error> {
        Ok(Self { directory: Arc::clone(directory), sql: sql::connect(directory)? })
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Finds a document.
    pub(crate) fn find(&self, name: &Name) -> Result<Option<Document>, Error> {
        document::find(&self.sql, &self.directory, name)
    }

    /// Finds a document and opens its file.
    pub(crate) fn open_file(&self, name: &Name) -> Result<Option<(Document, File)>, Error> {
        loop {
            let Some(document) = self.find(name)? else { return Ok(None) };
            match File::open(&document.path) {
                Ok(file) => return Ok(Some((document, file))),
                // Replaced or deleted since it was found; what is still named is missing.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    let now = self.find(name)?;
                    if now.is_some_and(|now| now.path == document.path) {
                        return Err(Error::io("open", &document.path)(error));
                    }
                }
                Err(error) => return Err(Error::io("open", &document.path)(error)),
            }
        }
    }
}

#[cfg(test)]
mod kill;
#[cfg(test)]
mod tests;
