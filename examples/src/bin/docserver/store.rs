//! The store: the bytes of documents as files in a directory, and their index in `SQLite`.
//!
//! ```text
//! docs/<sha256>-<unique>    the bytes of a document
//! tmp/<unique>              the bytes of an unfinished upload
//! index.sqlite              a row and the words of each document
//! lock, lock.next           held by the process that uses the directory
//! events.sqlite             the events of two processes, during a live upgrade
//! reserve                   room that is kept back for deletions on a full disk
//! ```
//!
//! A document exists if its row exists. Filing one takes four steps, any time apart:
//!
//! 1. A [`Spool`] takes the bytes, and [`Spooled::digest`] reads them again.
//! 2. [`Store::settle`] syncs the file, then moves it into `docs`, under a name that no other file
//!    ever has, and syncs that directory.
//! 3. [`Settled::set_text`] says which words it has, if it has any. [`Store::index`] writes the row and the words and removes those of the document that had the
//!    name before, in one transaction, which documents that are filed at the same time share.
//! 4. [`cleanup`] removes the file of that document.
//!
//! A document is complete or absent whenever the process is killed or the power fails, because:
//!
//! - Until the transaction of step 3 is durable, the old row exists and no step has touched its
//!   file: the old document is complete. A file in `tmp`, or one in `docs` without a row, is left
//!   over.
//! - Once it is durable, the new file is durable, too, because step 2 came first: file, directory,
//!   row, in this order. The new document is complete. The old file, without a row, may be left
//!   over.
//! - The row and the words match, because they change in one transaction. Only a deletion on a full disk
//!   may leave words without a row, which the search ignores and [`Store::open`] removes.
//! - Deletion is step 3 without a new row, and step 4.
//!
//! A crash can therefore only leave files over, and [`Store::open`] removes them: all files in
//! `tmp`, and files without a row in `docs`. This is safe because the [locks] keep other processes
//! out of the directory. No crash leaves a row whose file is missing or has another length; if
//! somebody caused one, [`Store::open`] removes it, and [`Recovery`] reports its document.
//!
//! Deletion works on a full disk, because a [`Reserve`](reserve::Reserve) keeps room back for it.
//!
//! No step writes to a file after step 2. A client that downloads a document while it is replaced
//! or deleted gets the old one, because an open file outlives its name.
//!
//! During a live upgrade two processes [share](sharing) the directory. All of the above holds for both: the names of
//! their files differ, and `SQLite` orders their transactions.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use crate::http::Name;

mod changes;
mod directory;
mod document;
mod error;
mod filing;
mod listing;
mod locks;
mod recovery;
mod reserve;
mod search;
#[cfg(unix)]
mod sharing;
mod snippet;
mod spool;
mod sql;
mod temporary;
pub(crate) mod text;
mod writer;

pub(crate) use changes::Version;
pub(crate) use directory::Directory;
pub(crate) use document::{Digest, Document};
pub(crate) use error::Error;
pub(crate) use filing::{Filed, Settled, cleanup};
use locks::Locks;
pub(crate) use recovery::Recovery;
pub(crate) use spool::{Digested, Spool, Spooled};

/// How long a process waits for the directory while another one ends, and how often it looks.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);

/// A thread's connection to the documents. All threads share one [`Directory`].
#[derive(Debug)]
pub(crate) struct Store {
    directory: Arc<Directory>,
    sql: Connection,
}

impl Store {
    /// Opens the store in a directory, creates it if it is missing, and removes the remains of a
    /// crash.
    pub(crate) fn open(root: impl AsRef<Path>) -> Result<(Self, Recovery), Error> {
        let directory = Arc::new(Directory::new(root.as_ref()));
        let mut locks = directory.locks();
        let opened = Self::enter(&directory, &mut locks)?;
        drop(locks);
        Ok(opened)
    }

    /// Takes the directory for this process, and removes the remains of a crash.
    fn enter(
        directory: &Arc<Directory>,
        locks: &mut Option<Locks>,
    ) -> Result<(Self, Recovery), Error> {
        *locks = Some(directory.enter()?);
        let (sql, recovery) = Self::recover(directory).or_else(|error| {
            if !error.needs_room() {
                return Err(error);
            }
            directory.reserve().release();
            Self::recover(directory)
        })?;
        // Uploads try again, and until they succeed the disk counts as full.
        let _ = directory.reserve().keep();
        Ok((Self { directory: Arc::clone(directory), sql }, recovery))
    }

    fn recover(directory: &Directory) -> Result<(Connection, Recovery), Error> {
        let mut sql = sql::connect(directory)?;
        sql::create(&mut sql, directory)?;
        let recovery = recovery::recover(&mut sql, directory)?;
        Ok((sql, recovery))
    }

    /// Opens a connection, for another thread. The first one opens the store, unless this process uses it already, and
    /// gives a process that ends a moment for it; the other threads do not wait once more.
    pub(crate) fn connect(directory: &Arc<Directory>) -> Result<Self, Error> {
        let mut locks = directory.locks();
        while locks.is_none() {
            match Self::enter(directory, &mut locks) {
                Err(Error::InUse(_)) if directory.wanted_for() < PATIENCE => thread::sleep(LOOK),
                opened => {
                    let (store, recovery) = opened?;
                    recovery.report();
                    return Ok(store);
                }
            }
        }
        drop(locks);
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
                // Normal if the document was replaced or deleted since `find`; otherwise the file
                // is missing.
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
