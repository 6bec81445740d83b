//! The events of two processes in one order.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Result};

/// The file of the journal, and those that `SQLite` makes beside it.
const FILES: [&str; 3] = ["events.sqlite", "events.sqlite-wal", "events.sqlite-shm"];

/// How long a process waits for the other one, which may stand still while it writes. Publishers and subscribers of this
/// process wait as long, and after that the other process misses the event.
const BUSY: Duration = Duration::from_millis(500);

/// The events that two processes publish while both use the directory, each with its number.
///
/// A crash of a process loses none of it. It need not outlive the system, because no subscriber does, so it waits
/// for no disk.
#[derive(Debug)]
pub(crate) struct Journal {
    sql: Connection,
    /// The number of the last event that this process has published to its subscribers.
    published: i64,
}

impl Journal {
    /// Makes an empty journal, which another process [joins](Journal::join).
    pub(crate) fn create(root: &Path) -> Result<Self> {
        remove(root);
        let sql = connect(root, OpenFlags::SQLITE_OPEN_CREATE)?;
        sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        sql.execute_batch(
            "CREATE TABLE events (
                number INTEGER PRIMARY KEY AUTOINCREMENT,
                message TEXT NOT NULL
            ) STRICT",
        )?;
        Ok(Self { sql, published: 0 })
    }

    /// Opens the journal of another process. Events in it count as published.
    pub(crate) fn join(root: &Path) -> Result<Self> {
        let sql = connect(root, OpenFlags::empty())?;
        let last = "SELECT ifnull(max(number), 0) FROM events";
        let published = sql.query_row(last, [], |row| row.get(0))?;
        Ok(Self { sql, published })
    }

    pub(crate) fn published(&self) -> i64 {
        self.published
    }

    /// Adds an event.
    pub(crate) fn add(&self, message: &str) -> Result<()> {
        let mut add = self.sql.prepare_cached("INSERT INTO events (message) VALUES (?1)")?;
        add.execute([message]).map(drop)
    }

    /// The events of both processes that are to be published, with their numbers. They count as published.
    pub(crate) fn take_new(&mut self) -> Result<Vec<(i64, String)>> {
        let new = self.read(self.published, i64::MAX)?;
        if let Some((last, _)) = new.last() {
            self.published = *last;
        }
        Ok(new)
    }

    /// The published events after this one.
    pub(crate) fn published_after(&self, number: i64) -> Result<Vec<(i64, String)>> {
        self.read(number, self.published)
    }

    fn read(&self, after: i64, to: i64) -> Result<Vec<(i64, String)>> {
        let mut read = self.sql.prepare_cached(
            "SELECT number, message FROM events WHERE number > ?1 AND number <= ?2 ORDER BY number",
        )?;
        let rows = read.query_map([after, to], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    /// Removes the journal, which no other process uses.
    pub(crate) fn end(self, root: &Path) {
        drop(self.sql);
        remove(root);
    }
}

/// Removes the files. Their remains are removed before the next journal is made.
fn remove(root: &Path) {
    for name in FILES {
        let _ = fs::remove_file(root.join(name));
    }
}

fn connect(root: &Path, create: OpenFlags) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
    let sql = Connection::open_with_flags(root.join(FILES[0]), flags)?;
    sql.busy_timeout(BUSY)?;
    sql.execute_batch("PRAGMA synchronous = OFF")?;
    Ok(sql)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn both_processes_publish_each_event_once_and_in_one_order() {
        let root = TempDir::new().unwrap();
        let mut old = Journal::create(root.path()).unwrap();
        old.add("a").unwrap();
        let mut new = Journal::join(root.path()).unwrap();
        new.add("b").unwrap();
        old.add("c").unwrap();
        let text = |rows: Vec<(i64, String)>| {
            let rows = rows.iter().map(|(number, message)| format!("{number}{message}"));
            rows.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(old.take_new().unwrap()), "1a 2b 3c");
        assert_eq!(text(old.take_new().unwrap()), "");
        // One that was told of the first event comes to the new process.
        assert_eq!(text(new.published_after(1).unwrap()), "");
        assert_eq!(text(new.take_new().unwrap()), "2b 3c");
        assert_eq!(text(new.published_after(1).unwrap()), "2b 3c");
        drop(old);
        new.add("d").unwrap();
        assert_eq!(text(new.take_new().unwrap()), "4d");
        new.end(root.path());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
