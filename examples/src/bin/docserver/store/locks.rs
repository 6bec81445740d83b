//! The locks that keep other processes out of the directory of a store.
//!
//! There are two files. A process that uses the directory alone has locked both. During a live upgrade it gives the
//! second one to the new process, and its own, the first one, becomes free when it ends; then the new process locks that,
//! too. So each moment one of the two locks at least is taken, and a process that does not get both is refused unless the
//! old one has made room for it.

use std::fs::File;
use std::path::Path;

use fs4::{FileExt, TryLockError};

use super::Error;

/// The file of the process that came first, and the one that it gives to the next process.
const FILES: [&str; 2] = ["lock", "lock.next"];

/// The locks of this process. They end with it.
#[derive(Debug)]
pub(super) struct Locks(
    #[cfg_attr(not(unix), allow(dead_code, reason = "held, and given to nobody"))]
    [Option<File>; 2],
);

impl Locks {
    /// Takes the directory for this process alone.
    pub(super) fn alone(root: &Path) -> Result<Self, Error> {
        // The second lock is not tried without the first, because a process that joins needs it at this moment.
        let take = |name| lock(root, name)?.ok_or_else(|| Error::InUse(root.to_owned()));
        Ok(Self([Some(take(FILES[0])?), Some(take(FILES[1])?)]))
    }

    /// Takes the place beside another process, which has made room.
    #[cfg(unix)]
    pub(super) fn beside(root: &Path) -> Result<Self, Error> {
        let next = lock(root, FILES[1])?.ok_or_else(|| Error::InUse(root.to_owned()))?;
        Ok(Self([None, Some(next)]))
    }

    /// Makes room for another process.
    #[cfg(unix)]
    pub(super) fn make_room(&mut self, root: &Path) -> Result<(), Error> {
        if let Some(next) = self.0[1].take() {
            // Said, and not left to the end of the descriptor, which a child may have for a moment.
            FileExt::unlock(&next).map_err(Error::io("unlock", &root.join(FILES[1])))?;
        }
        Ok(())
    }

    /// Takes the directory for this process alone again. Returns whether it is, which it cannot be before the other
    /// process has ended.
    #[cfg(unix)]
    pub(super) fn take_all(&mut self, root: &Path) -> Result<bool, Error> {
        for (own, name) in self.0.iter_mut().zip(FILES) {
            if own.is_none() {
                *own = lock(root, name)?;
            }
        }
        Ok(self.0.iter().all(Option::is_some))
    }
}

/// Locks a file; `None` if another process has.
fn lock(root: &Path, name: &str) -> Result<Option<File>, Error> {
    let path = root.join(name);
    // Without truncation, which Windows forbids while another process has the lock.
    let file = File::options().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(Error::io("open", &path))?;
    // Qualified, because newer files have a method of this name themselves.
    match FileExt::try_lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_third_one_is_refused_at_every_moment() {
        let root = TempDir::new().unwrap();
        let root = root.path();
        let refused = || {
            assert!(matches!(Locks::alone(root), Err(Error::InUse(_))));
        };
        let mut old = Locks::alone(root).unwrap();
        refused();
        assert!(matches!(Locks::beside(root), Err(Error::InUse(_))), "there is no room");
        for _ in 0..3 {
            old.make_room(root).unwrap();
            refused();
            let mut new = Locks::beside(root).unwrap();
            refused();
            assert!(matches!(Locks::beside(root), Err(Error::InUse(_))));
            assert!(!old.take_all(root).unwrap() && !new.take_all(root).unwrap());
            drop(old);
            refused();
            assert!(new.take_all(root).unwrap());
            refused();
            old = new;
        }
        // One that nobody has come to beside.
        old.make_room(root).unwrap();
        assert!(old.take_all(root).unwrap());
        refused();
        drop(old);
        assert!(Locks::alone(root).is_ok());
    }

    #[test]
    fn refused_processes_do_not_keep_the_next_one_out() {
        let root = TempDir::new().unwrap();
        let root = root.path();
        let mut old = Locks::alone(root).unwrap();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    assert!(matches!(Locks::alone(root), Err(Error::InUse(_))));
                }
            });
            for _ in 0..1000 {
                old.make_room(root).unwrap();
                let new = Locks::beside(root);
                is_done.fetch_or(new.is_err(), Ordering::Relaxed);
                drop(new.unwrap());
                assert!(old.take_all(root).unwrap());
            }
            is_done.store(true, Ordering::Relaxed);
        });
    }
}
