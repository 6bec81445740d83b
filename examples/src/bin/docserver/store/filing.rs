//! The steps that file and delete a document.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{Connection, TransactionBehavior, params};

use super::document::{find, from_millis, millis};
use super::temporary::Temporary;
use super::{Digested, Document, Error, Spooled, Store, sql, text};
use crate::http::Name;

/// A document whose file is in place, but which has no row yet. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Settled {
    temporary: Temporary,
    file: fs::File,
    name: String,
    len: u64,
    digested: Digested,
    /// The text that the search covers, beside the name.
    text: String,
}

impl Settled {
    pub(crate) fn path(&self) -> &Path {
        &self.temporary.path
    }

    /// Whether all of the document is UTF-8.
    pub(crate) fn is_text(&self) -> bool {
        self.digested.is_text
    }

    /// Sets the text that the search finds.
    pub(crate) fn set_text(&mut self, text: String) {
        self.text = text;
    }

    /// Takes the document itself for its text, if it is one.
    pub(crate) fn read_text(&mut self) -> Result<(), Error> {
        if self.is_text() {
            let text = text::read(&self.file);
            self.text = text.map_err(Error::io("read", self.path()))?;
        }
        Ok(())
    }
}

/// A document that was filed.
#[derive(Clone, Debug)]
pub(crate) struct Filed {
    pub(crate) document: Document,
    /// The file of the document that had the name before, for [`cleanup`].
    pub(crate) replaced: Option<PathBuf>,
}

impl Store {
    /// Moves a document's file into place, durably.
    ///
    /// On success `spooled` owns no file any more; on failure it still removes its file when
    /// dropped.
    pub(crate) fn settle(
        &self,
        spooled: &mut Spooled,
        digested: Digested,
    ) -> Result<Settled, Error> {
        let docs = self.directory.docs();
        let name = format!("{}-{}", digested.digest, spooled.unique);
        let (from, to) = (&spooled.temporary.path, docs.join(&name));
        let file = spooled.file.try_clone().map_err(Error::io("reopen", from))?;
        file.sync_all().map_err(Error::io("sync", from))?;
        fs::rename(from, &to).map_err(Error::io("move", from))?;
        spooled.temporary.keep();
        // From here on `temporary` owns the file, and removes it if the next line fails.
        let temporary = Temporary::new(to);
        self.directory.sync_docs()?;
        Ok(Settled { temporary, file, name, len: spooled.len, digested, text: String::new() })
    }

    /// Gives this document the name, durably, if `allow` accepts the document that has the name
    /// now. No other thread can change that document in between.
    pub(crate) fn index(
        &self,
        name: &Name,
        settled: &mut Settled,
        allow: impl FnOnce(Option<&Document>) -> bool,
    ) -> Result<Option<Filed>, Error> {
        let directory = Arc::clone(&self.directory);
        let mut change = None;
        directory.writer().enter(&directory, |transaction| {
            let filed = self.write_row(transaction, name, settled, allow)?;
            if filed.is_some() {
                change = Some(directory.changes().begin(name));
                // Keep the file even if the commit fails, because a failed commit may still be durable. If
                // it is not, `Store::open` removes the file.
                settled.temporary.keep();
            }
            Ok(filed)
        })
    }

    /// Writes the row and the words of a document.
    fn write_row(
        &self,
        transaction: &Connection,
        name: &Name,
        settled: &Settled,
        allow: impl FnOnce(Option<&Document>) -> bool,
    ) -> Result<Option<Filed>, Error> {
        let path = settled.temporary.path.clone();
        let old = find(transaction, &self.directory, name)?;
        if !allow(old.as_ref()) {
            return Ok(None);
        }
        if let Some(old) = &old {
            sql::remove(transaction, old.id)?;
        }
        let (len, digest, modified) =
            (settled.len, settled.digested.digest, millis(SystemTime::now()));
        let mut insert = transaction.prepare_cached(
            "INSERT INTO documents (name, file, len, digest, modified) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        let id = insert.insert(params![name.as_str(), settled.name, len, digest, modified])?;
        drop(insert);
        // The row id may be that of a document whose words were left.
        sql::remove_words(transaction, id)?;
        transaction
            .prepare_cached("INSERT INTO texts (rowid, name, body) VALUES (?1, ?2, ?3)")?
            .execute(params![id, name.as_str(), settled.text])?;
        let modified = from_millis(modified);
        let document = Document { id, name: name.to_string(), len, digest, modified, path };
        Ok(Some(Filed { document, replaced: old.map(|old| old.path) }))
    }

    /// Deletes the document of this name, durably, if `allow` accepts it; returns the deleted
    /// document. On a full disk it takes the room that is kept back.
    pub(crate) fn delete(
        &mut self,
        name: &Name,
        allow: impl FnMut(Option<&Document>) -> bool,
    ) -> Result<Option<Document>, Error> {
        let directory = Arc::clone(&self.directory);
        directory.writer().alone(|| self.delete_alone(name, allow))
    }

    fn delete_alone(
        &mut self,
        name: &Name,
        mut allow: impl FnMut(Option<&Document>) -> bool,
    ) -> Result<Option<Document>, Error> {
        match self.try_delete(name, &mut allow, sql::remove) {
            Err(error) if error.needs_room() => {}
            done => return done,
        }
        self.directory.reserve().release();
        let mut done = self.try_delete(name, &mut allow, sql::remove);
        if done.as_ref().is_err_and(Error::needs_room) {
            // The words of a long text take more room. The search ignores words without a row, and the
            // document's file may give the room to remove them.
            done = self.try_delete(name, allow, sql::remove_row);
            sql::checkpoint(&self.sql);
            let _ = sql::remove_left_words(&self.sql);
        }
        // Not before, because a checkpoint that fails keeps the room that it has taken.
        sql::checkpoint(&self.sql);
        // If there is too little room, uploads try again, and deletions have what there is.
        let _ = self.directory.reserve().keep();
        done
    }

    fn try_delete(
        &mut self,
        name: &Name,
        allow: impl FnOnce(Option<&Document>) -> bool,
        remove: fn(&Connection, i64) -> rusqlite::Result<()>,
    ) -> Result<Option<Document>, Error> {
        let transaction = self.sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let old = find(&transaction, &self.directory, name)?;
        let Some(old) = old.filter(|old| allow(Some(old))) else { return Ok(None) };
        remove(&transaction, old.id)?;
        let change = self.directory.changes().begin(name);
        transaction.commit()?;
        drop(change);
        cleanup(&old.path);
        Ok(Some(old))
    }
}

/// Removes the file of a document that was replaced or deleted.
///
/// If that fails the document is gone all the same, and [`Store::open`] removes the file later.
pub(crate) fn cleanup(path: &Path) {
    let _: io::Result<()> = fs::remove_file(path);
}
