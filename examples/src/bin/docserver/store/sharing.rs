//! The time of a live upgrade, in which two processes use the directory.
//!
//! The old process [makes room](Directory::make_room) before the new one [joins](Store::join) it. In between, and until the
//! other has ended, neither trusts what it knows of documents from before: no copy of one counts, and the room that is
//! kept back is looked for on the disk. Neither removes files that it has not made. The files that the other
//! has left are [removed](Store::clear_others) when it has ended, for whatever reason.

use std::sync::Arc;

use super::locks::Locks;
use super::{Directory, Error, Recovery, Store, recovery, sql};

impl Directory {
    /// Lets one more process in.
    pub(crate) fn make_room(&self) -> Result<(), Error> {
        self.begin_sharing();
        let mut locks = self.locks();
        locks.as_mut().map_or(Ok(()), |locks| locks.make_room(self.root()))
    }

    /// Takes the directory for this process alone again. Returns whether it is, so that the other one has ended.
    pub(crate) fn take_all(&self) -> Result<bool, Error> {
        let mut locks = self.locks();
        locks.as_mut().map_or(Ok(false), |locks| locks.take_all(self.root()))
    }

    /// Begins to trust what this process knows, because no other one changes documents.
    pub(crate) fn end_sharing(&self) {
        self.reserve().share(false);
        self.changes().end_all();
    }

    fn begin_sharing(&self) {
        self.changes().begin_all();
        self.reserve().share(true);
    }
}

impl Store {
    /// Begins to use the directory beside another process, which has made room.
    pub(crate) fn join(directory: &Arc<Directory>) -> Result<(), Error> {
        let beside = Locks::beside(directory.root())?;
        directory.begin_sharing();
        // For its version, which another program may have made.
        sql::create(&mut sql::connect(directory)?, directory)?;
        *directory.locks() = Some(beside);
        Ok(())
    }

    /// Removes what other processes have left in the directory, which this one has for itself.
    pub(crate) fn clear_others(&self) -> Result<Recovery, Error> {
        recovery::recover_others(&self.sql, &self.directory)
    }
}
