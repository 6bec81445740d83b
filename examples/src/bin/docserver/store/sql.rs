//! The index in `SQLite`.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{Directory, Error};

/// The time for which a thread waits for another one's write transaction.
const BUSY: Duration = Duration::from_secs(30);

/// The pages of the log that a checkpoint moves into the index, 1 MiB. On a full disk the room that is kept
/// back must suffice for them.
const LOG_PAGES: u32 = 256;

const VERSION: i64 = 1;

/// The words have their own table, whose row ids are those of the documents.
const TABLES: &str = "
    CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        file TEXT NOT NULL UNIQUE,
        len INTEGER NOT NULL,
        digest BLOB NOT NULL,
        modified INTEGER NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE texts USING fts5(
        name, body, tokenize = 'unicode61 remove_diacritics 2'
    );
    PRAGMA user_version = 1;
";

/// Opens a connection to the index. A commit is durable when it returns.
pub(super) fn connect(directory: &Directory) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let sql = Connection::open_with_flags(directory.index(), flags)?;
    sql.busy_timeout(BUSY)?;
    // In WAL mode readers and a writer do not wait for each other.
    sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    sql.execute_batch("PRAGMA synchronous = FULL")?;
    sql.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    Ok(sql)
}

/// Creates the tables, unless they exist.
pub(super) fn create(sql: &mut Connection, directory: &Directory) -> Result<(), Error> {
    let transaction = sql.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match transaction.query_row("PRAGMA user_version", [], |row| row.get(0))? {
        VERSION => return Ok(()),
        0 => {}
        version => return Err(Error::Version(version)),
    }
    // Refuse files without an index, because recovery would remove them, and they may be anything,
    // such as documents whose index somebody deleted.
    if directory.has_files()? {
        return Err(Error::Foreign(directory.docs()));
    }
    transaction.execute_batch(TABLES)?;
    Ok(transaction.commit()?)
}

/// Moves the log into the index, and gives its room back, if readers and the disk allow it.
pub(super) fn checkpoint(sql: &Connection) {
    // If it fails, the log stays as it is, and a later checkpoint moves it.
    let _ = sql.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
}

/// Removes a row and its words.
pub(super) fn remove(sql: &Connection, id: i64) -> rusqlite::Result<()> {
    remove_words(sql, id)?;
    remove_row(sql, id)
}

/// Removes a row, so that the search ignores its words.
pub(super) fn remove_row(sql: &Connection, id: i64) -> rusqlite::Result<()> {
    sql.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([id])?;
    Ok(())
}

pub(super) fn remove_words(sql: &Connection, id: i64) -> rusqlite::Result<()> {
    sql.prepare_cached("DELETE FROM texts WHERE rowid = ?1")?.execute([id])?;
    Ok(())
}

/// Removes words without a row, which a deletion on a full disk may leave.
pub(super) fn remove_left_words(sql: &Connection) -> Result<(), Error> {
    // The table of the lengths is the smallest one of FTS5 that has a row for each text.
    sql.execute(
        "DELETE FROM texts WHERE rowid IN (
            SELECT id FROM texts_docsize WHERE id NOT IN (SELECT id FROM documents)
        )",
        [],
    )?;
    Ok(())
}
