//! The room that is kept back, so that a full disk can be emptied.
//!
//! To delete a document takes room: for the change in the log of `SQLite`, and for its pages in the index.
//! Therefore a file without contents of its own occupies some room. A deletion that finds the disk full
//! removes that file and tries again. Until the room is kept back again, no upload takes any.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use super::temporary::{Temporary, unique};

/// The room that is kept back, in bytes: for the log of `SQLite`, which a checkpoint moves into the index,
/// and for the deletion itself.
const ROOM: usize = 2 * 1024 * 1024;

/// A file that occupies room.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// Where the file is made. What a crash leaves there is removed.
    tmp: PathBuf,
    /// Held while the file is made or removed.
    changing: Mutex<()>,
    is_kept: AtomicBool,
    /// Another process may make or remove the file, too.
    is_shared: AtomicBool,
}

impl Reserve {
    pub(super) fn new(path: PathBuf, tmp: PathBuf) -> Self {
        let (is_kept, is_shared) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { path, tmp, changing: Mutex::new(()), is_kept, is_shared }
    }

    /// Keeps the room back, unless it is.
    pub(super) fn keep(&self) -> Result<(), Error> {
        if self.is_kept() {
            return Ok(());
        }
        let _changing = self.change();
        if !self.is_kept() {
            if !self.exists() {
                self.occupy().map_err(Error::io("keep room back in", &self.path))?;
            }
            self.is_kept.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Frees the room for an operation that frees more.
    pub(super) fn release(&self) {
        let _changing = self.change();
        self.is_kept.store(false, Ordering::Release);
        // There is none if another thread has freed it.
        let _ = fs::remove_file(&self.path);
    }

    /// Refuses to take room while none is kept back, because a deletion needs it.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_kept() {
            return Ok(());
        }
        Err(Error::io("take room beside", &self.path)(io::ErrorKind::StorageFull.into()))
    }

    /// Looks at the file itself from now on, because another process may change it, or no more.
    #[cfg(unix)]
    pub(super) fn share(&self, is_shared: bool) {
        let _changing = self.change();
        self.is_shared.store(is_shared, Ordering::Release);
        self.is_kept.store(self.exists(), Ordering::Release);
    }

    fn is_kept(&self) -> bool {
        let is_shared = self.is_shared.load(Ordering::Acquire);
        self.is_kept.load(Ordering::Acquire) && (!is_shared || self.exists())
    }

    fn exists(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() == ROOM as u64)
    }

    fn occupy(&self) -> io::Result<()> {
        // Under a name of its own, because another process may be at it, too. On a full disk the file goes again.
        let mut made = Temporary::new(self.tmp.join(unique()));
        let mut file = File::create_new(&made.path)?;
        // Write it, because a file that is only made longer occupies nothing.
        let zeros = [0; 16 * 1024];
        for _ in 0..ROOM / zeros.len() {
            file.write_all(&zeros)?;
        }
        file.sync_all()?;
        fs::rename(&made.path, &self.path)?;
        made.keep();
        Ok(())
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_another_process_has_released_is_not_kept() {
        let root = tempfile::TempDir::new().unwrap();
        let new = || Reserve::new(root.path().join("room"), root.path().to_owned());
        let (here, there) = (new(), new());
        here.keep().unwrap();
        for reserve in [&here, &there] {
            reserve.share(true);
            assert!(reserve.check().is_ok());
        }
        there.release();
        assert!(here.check().unwrap_err().is_full());
        here.keep().unwrap();
        assert!(here.check().is_ok() && there.keep().is_ok());
        there.release();
        here.share(false);
        assert!(
            here.check().unwrap_err().is_full(),
            "it is gone when the other one has ended, too"
        );
    }
}
