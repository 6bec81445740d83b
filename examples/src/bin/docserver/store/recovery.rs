//! The recovery after a crash.

use std::collections::HashMap;
#[cfg(unix)]
use std::io;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use rusqlite::{Connection, TransactionBehavior};

use super::directory::files;
#[cfg(unix)]
use super::temporary::is_own;
use super::{Directory, Error, sql};

/// The remains that were removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recovery {
    /// Unfinished uploads.
    pub(crate) spools: usize,
    /// Files without a row: documents not yet filed, or deleted.
    pub(crate) unnamed: usize,
    /// The names of documents whose file was missing or had another length. No crash causes this.
    pub(crate) broken: Vec<String>,
}

/// Removes everything incomplete.
pub(super) fn recover(index: &mut Connection, directory: &Directory) -> Result<Recovery, Error> {
    let mut recovery = Recovery::default();
    for (path, _) in files(&directory.tmp())? {
        remove(&path)?;
        recovery.spools += 1;
    }

    let transaction = index.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut rows = read_rows(&transaction, directory)?;
    let unnamed: Vec<PathBuf> = files(&directory.docs())?
        .into_iter()
        .filter(|(path, len)| {
            let is_whole = rows.get(path).is_some_and(|row| row.len == *len);
            if is_whole {
                rows.remove(path);
            }
            !is_whole
        })
        .map(|(path, _)| path)
        .collect();
    for row in rows.into_values() {
        sql::remove(&transaction, row.id)?;
        recovery.broken.push(row.name);
    }
    // Remove rows before files, so that a crash here leaves no row without a file.
    transaction.commit()?;
    match sql::remove_left_words(index) {
        // The next start tries again.
        Err(error) if error.needs_room() => {}
        done => done?,
    }
    for path in &unnamed {
        remove(path)?;
    }
    recovery.unnamed = unnamed.len();
    recovery.broken.sort_unstable();
    Ok(recovery)
}

/// Removes what another process has left, which has ended, while this one is at work.
#[cfg(unix)]
pub(super) fn recover_others(index: &Connection, directory: &Directory) -> Result<Recovery, Error> {
    let mut spools = files(&directory.tmp())?;
    spools.retain(|(path, _)| !is_own(path));
    // The files first: a file of a process that has ended gets no row any more, and may lose it.
    let mut unnamed = files(&directory.docs())?;
    let rows = read_rows(index, directory)?;
    unnamed.retain(|(path, _)| !is_own(path) && !rows.contains_key(path));
    for (path, _) in spools.iter().chain(&unnamed) {
        match fs::remove_file(path) {
            // The file of a document that this process has just replaced or deleted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(Error::io("remove", path))?,
        }
    }
    Ok(Recovery { spools: spools.len(), unnamed: unnamed.len(), broken: Vec::new() })
}

struct Row {
    id: i64,
    name: String,
    len: u64,
}

fn read_rows(index: &Connection, directory: &Directory) -> Result<HashMap<PathBuf, Row>, Error> {
    let docs = directory.docs();
    let mut statement = index.prepare("SELECT id, name, len, file FROM documents")?;
    let rows = statement.query_map([], |row| {
        let file: String = row.get(3)?;
        Ok((docs.join(file), Row { id: row.get(0)?, name: row.get(1)?, len: row.get(2)? }))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn remove(path: &Path) -> Result<(), Error> {
    fs::remove_file(path).map_err(Error::io("remove", path))
}

impl Recovery {
    /// Whether nothing was removed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Writes to the log what was removed.
    pub(crate) fn report(&self) {
        if !self.is_empty() {
            tracing::warn!("{self}");
        }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spools, unnamed, broken } = self;
        write!(f, "removed {spools} unfinished uploads and {unnamed} files without a document")?;
        if !broken.is_empty() {
            write!(
                f,
                "; lost, because another program changed their files: {}",
                broken.join(", ")
            )?;
        }
        Ok(())
    }
}
