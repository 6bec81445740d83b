//! The directory of a store.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::Error;

/// The directory of a store, which this process has for itself as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    /// Whoever has locked this file has the directory. The lock ends with the process.
    _lock: Option<File>,
}

impl Directory {
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(Error::io("make", root))?;
        let path = root.join("lock");
        let lock = File::create(&path).map_err(Error::io("open", &path))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|error| {
            if error == rustix::io::Errno::WOULDBLOCK {
                return Error::InUse(root.to_owned());
            }
            Error::io("lock", &path)(error.into())
        })?;
        let directory = Self { root: root.to_owned(), _lock: Some(lock) };
        for path in [directory.docs(), directory.tmp()] {
            fs::create_dir_all(&path).map_err(Error::io("make", &path))?;
        }
        // The names of the directories, and that of the root in the one that it is in.
        sync(root).map_err(Error::io("sync", root))?;
        sync(&root.join("..")).map_err(Error::io("sync the parent of", root))?;
        Ok(directory)
    }

    /// The directory without looking at it, to show what would use it.
    pub(crate) fn unopened(root: &Path) -> Self {
        Self { root: root.to_owned(), _lock: None }
    }

    /// Where the documents are.
    pub(super) fn docs(&self) -> PathBuf {
        self.root.join("docs")
    }

    /// Where the spools are.
    pub(super) fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index.sqlite")
    }

    /// Whether there is any file of a document or of a spool.
    pub(super) fn has_files(&self) -> Result<bool, Error> {
        Ok(!files(&self.docs())?.is_empty() || !files(&self.tmp())?.is_empty())
    }
}

/// Makes it durable which names a directory has.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The files of a directory, and how long they are. A directory in it is none of ours.
pub(super) fn files(directory: &Path) -> Result<Vec<(PathBuf, u64)>, Error> {
    let entries = || {
        let entries = fs::read_dir(directory)?.map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.metadata()?))
        });
        entries.collect::<io::Result<Vec<_>>>()
    };
    let entries = entries().map_err(Error::io("read", directory))?;
    let files = entries.into_iter().filter(|(_, metadata)| !metadata.is_dir());
    Ok(files.map(|(path, metadata)| (path, metadata.len())).collect())
}
