//! Transactions and syncs that documents share.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use rusqlite::{Connection, DropBehavior, Savepoint, ffi};

use super::{Directory, Error, sql};

/// The connection that enters documents into the index.
///
/// Those that are entered at the same time share a transaction: each joins it, and the last one commits, so that one
/// sync makes all of them durable. Nobody waits for others that have not begun to join.
#[derive(Debug, Default)]
pub(super) struct Writer {
    state: Mutex<State>,
    /// A transaction is over.
    over: Condvar,
    /// Those that have begun to join a transaction.
    joining: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// `None` until the first document is entered.
    sql: Option<Connection>,
    open: Option<Arc<Shared>>,
}

/// A transaction, for those that have joined it.
#[derive(Debug, Default)]
struct Shared {
    outcome: OnceLock<Result<(), Failure>>,
}

/// Why a transaction failed, for each that has joined it.
#[derive(Clone, Debug)]
struct Failure {
    error: ffi::Error,
    message: Option<String>,
}

/// One that joins a transaction. However it ends, the last one commits for those that have joined.
struct Joining<'a> {
    writer: &'a Writer,
    state: MutexGuard<'a, State>,
}

impl Writer {
    /// Does `work` in a transaction that others may share, and returns when it is durable. Nothing of it is left if it
    /// returns `None` or fails.
    pub(super) fn enter<R>(
        &self,
        directory: &Directory,
        work: impl FnOnce(&Savepoint<'_>) -> Result<Option<R>, Error>,
    ) -> Result<Option<R>, Error> {
        let mut joining = Joining::new(self);
        let (done, shared) = joining.state.join(directory, work)?;
        drop(joining);
        if done.is_none() {
            return Ok(None);
        }
        let mut state = self.lock();
        loop {
            match shared.outcome.get() {
                Some(Ok(())) => return Ok(done),
                Some(Err(failure)) => return Err(failure.clone().into()),
                None => state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Does `work`, which has a transaction of its own, while no other one is open.
    pub(super) fn alone<R>(&self, work: impl FnOnce() -> R) -> R {
        let mut state = self.lock();
        while state.open.is_some() {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        work()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Does `work` in the open transaction, or in a new one.
    fn join<R>(
        &mut self,
        directory: &Directory,
        work: impl FnOnce(&Savepoint<'_>) -> Result<Option<R>, Error>,
    ) -> Result<(Option<R>, Arc<Shared>), Error> {
        // An error may have rolled all of it back.
        if self.sql.as_ref().is_some_and(Connection::is_autocommit) {
            self.commit();
        }
        let Self { sql, open } = self;
        let sql = match sql {
            Some(sql) => sql,
            none => none.insert(sql::connect(directory)?),
        };
        let shared = match open {
            Some(open) => Arc::clone(open),
            none => {
                sql.execute_batch("BEGIN IMMEDIATE")?;
                Arc::clone(none.insert(Arc::default()))
            }
        };
        let mut savepoint = sql.savepoint()?;
        let done = work(&savepoint)?;
        savepoint.set_drop_behavior(match done {
            Some(_) => DropBehavior::Commit,
            None => DropBehavior::Rollback,
        });
        savepoint.finish()?;
        Ok((done, shared))
    }

    /// Commits the open transaction, if there is one.
    fn commit(&mut self) {
        let (Some(shared), Some(sql)) = (self.open.take(), &self.sql) else { return };
        let committed = sql.execute_batch("COMMIT").map_err(|error| {
            // It fails if the error has rolled all back.
            let _ = sql.execute_batch("ROLLBACK");
            Failure::from(error)
        });
        // Nobody else sets it.
        let _ = shared.outcome.set(committed);
    }
}

impl<'a> Joining<'a> {
    fn new(writer: &'a Writer) -> Self {
        // Before the lock, so that one that has it waits for this one.
        writer.joining.fetch_add(1, Ordering::SeqCst);
        Self { writer, state: writer.lock() }
    }
}

impl Drop for Joining<'_> {
    fn drop(&mut self) {
        if self.writer.joining.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.state.commit();
            self.writer.over.notify_all();
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(error, message) => Self { error, message },
            error => {
                let message = Some(error.to_string());
                Self { error: ffi::Error::new(ffi::SQLITE_ERROR), message }
            }
        }
    }
}

impl From<Failure> for Error {
    fn from(Failure { error, message }: Failure) -> Self {
        Self::Sql(rusqlite::Error::SqliteFailure(error, message))
    }
}

/// Syncs of a directory that threads share: one that begins after a name has changed makes that change durable, whoever
/// has asked for the sync.
#[derive(Debug, Default)]
pub(super) struct SharedSync {
    asked: AtomicU64,
    /// The number of the last one that is durable.
    durable: Mutex<u64>,
}

impl SharedSync {
    /// Returns when the names that were changed before are durable.
    pub(super) fn wait(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let own = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if *durable < own {
            let asked = self.asked.load(Ordering::SeqCst);
            sync()?;
            *durable = asked;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use tempfile::TempDir;

    use super::*;
    use crate::store::Store;

    fn directory() -> (Arc<Directory>, TempDir) {
        let root = TempDir::new().unwrap();
        let (store, _) = Store::open(root.path()).unwrap();
        store.sql.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").unwrap();
        (Arc::clone(store.directory()), root)
    }

    fn insert(savepoint: &Savepoint<'_>, number: u64) -> Result<Option<u64>, Error> {
        savepoint.execute("INSERT INTO numbers VALUES (?1)", [number])?;
        Ok(Some(number))
    }

    fn numbers(directory: &Directory) -> u64 {
        let sql = sql::connect(directory).unwrap();
        sql.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_was_entered_is_committed_when_the_call_returns() {
        let (directory, _root) = directory();
        let writer = Writer::default();
        thread::scope(|scope| {
            for thread in 0..8 {
                let (writer, directory) = (&writer, &directory);
                scope.spawn(move || {
                    for number in thread * 50..(thread + 1) * 50 {
                        writer.enter(directory, |sql| insert(sql, number)).unwrap().unwrap();
                        let sql = sql::connect(directory).unwrap();
                        let find = "SELECT number FROM numbers WHERE number = ?1";
                        let found: u64 = sql.query_row(find, [number], |row| row.get(0)).unwrap();
                        assert_eq!(found, number);
                    }
                });
            }
        });
        assert_eq!(numbers(&directory), 400);
    }

    /// The first one holds its transaction open until the others are about to join it.
    fn together(
        others: u64,
        other: impl Fn(&Savepoint<'_>, u64) -> Result<Option<u64>, Error> + Sync,
    ) -> u64 {
        let (directory, _root) = directory();
        let writer = Writer::default();
        let begun = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let entered = writer.enter(&directory, |sql| {
                    begun.wait();
                    while writer.joining.load(Ordering::SeqCst) <= usize::try_from(others).unwrap()
                    {
                        thread::yield_now();
                    }
                    insert(sql, 0)
                });
                assert_eq!(entered.unwrap(), Some(0));
            });
            begun.wait();
            for number in 1..=others {
                let (writer, directory, other) = (&writer, &directory, &other);
                scope.spawn(move || writer.enter(directory, |sql| other(sql, number)));
            }
        });
        numbers(&directory)
    }

    #[test]
    fn one_that_fails_or_does_not_want_to_takes_nothing_from_the_others() {
        let entered = together(6, |sql, number| match number % 3 {
            // A number that is there already.
            0 => insert(sql, 0),
            1 => insert(sql, number).map(|_| None),
            _ => insert(sql, number),
        });
        assert_eq!(entered, 3);
    }

    #[test]
    fn a_failed_transaction_fails_for_all_that_have_joined_it() {
        let (directory, _root) = directory();
        let writer = Writer::default();
        // Somebody ends the transaction under the feet of the two.
        let entered = writer.enter(&directory, |sql| {
            insert(sql, 1)?;
            sql.execute_batch("ROLLBACK")?;
            Ok(Some(1))
        });
        assert!(entered.is_err());
        assert_eq!(numbers(&directory), 0);
        assert_eq!(writer.enter(&directory, |sql| insert(sql, 2)).unwrap(), Some(2));
        assert_eq!(numbers(&directory), 1);
    }

    #[test]
    fn a_sync_that_began_before_does_not_count() {
        let shared = SharedSync::default();
        let (begun, asked) = (Barrier::new(2), Barrier::new(2));
        let syncs = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                shared.wait(|| {
                    begun.wait();
                    asked.wait();
                    syncs.fetch_add(1, Ordering::SeqCst);
                    Ok(())
                })
            });
            begun.wait();
            for _ in 0..5 {
                scope.spawn(|| {
                    shared.wait(|| {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                });
            }
            while shared.asked.load(Ordering::SeqCst) < 6 {
                thread::yield_now();
            }
            asked.wait();
        });
        // One for the first, and one for all others.
        assert_eq!(syncs.into_inner(), 2);
    }

    #[test]
    fn a_sync_that_fails_makes_nothing_durable() {
        let shared = SharedSync::default();
        assert!(shared.wait(|| Err(io::ErrorKind::StorageFull.into())).is_err());
        let mut synced = false;
        shared
            .wait(|| {
                synced = true;
                Ok(())
            })
            .unwrap();
        assert!(synced);
    }
}
