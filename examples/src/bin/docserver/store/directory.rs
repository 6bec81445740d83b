//! The directory of a store.

use std::fs;
#[cfg(unix)]
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::Error;
use super::changes::Changes;
use super::locks::Locks;
use super::reserve::Reserve;
use super::writer::{SharedSync, Writer};

/// The name of the directory of unfinished files.
const TMP: &str = "tmp";

/// The directory of a store, which this process uses as long as it has [`Locks`] there.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    /// Before the locks, so that it is closed when another process can open the index.
    writer: Writer,
    docs_sync: SharedSync,
    locks: Mutex<Option<Locks>>,
    /// When a thread of this process first wanted the directory for it.
    wanted: OnceLock<Instant>,
    reserve: Arc<Reserve>,
    changes: Changes,
}

impl Directory {
    /// The directory, which this process does not use yet.
    pub(crate) fn new(root: &Path) -> Self {
        let reserve = Arc::new(Reserve::new(root.join("reserve"), root.join(TMP)));
        Self {
            root: root.to_owned(),
            writer: Writer::default(),
            docs_sync: SharedSync::default(),
            locks: Mutex::default(),
            wanted: OnceLock::new(),
            reserve,
            changes: Changes::new(),
        }
    }

    /// Takes the directory for this process alone, as long as the result lives.
    pub(super) fn enter(&self) -> Result<Locks, Error> {
        let root = &*self.root;
        fs::create_dir_all(root).map_err(Error::io("make", root))?;
        let locks = Locks::alone(root)?;
        for path in [self.docs(), self.tmp()] {
            fs::create_dir_all(&path).map_err(Error::io("make", &path))?;
        }
        // Make the names of these directories durable, and the name of the root in its parent.
        sync(root).map_err(Error::io("sync", root))?;
        sync(&root.join("..")).map_err(Error::io("sync the parent of", root))?;
        Ok(locks)
    }

    #[cfg(unix)]
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of the documents' files.
    pub(super) fn docs(&self) -> PathBuf {
        self.root.join("docs")
    }

    /// The directory of unfinished uploads.
    pub(super) fn tmp(&self) -> PathBuf {
        self.root.join(TMP)
    }

    pub(super) fn index(&self) -> PathBuf {
        self.root.join("index.sqlite")
    }

    /// Makes the names of documents' files durable that were given before.
    pub(super) fn sync_docs(&self) -> Result<(), Error> {
        let docs = self.docs();
        self.docs_sync.wait(|| sync(&docs)).map_err(Error::io("sync", &docs))
    }

    /// The connection that enters documents.
    pub(super) fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The changes of documents.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// The room that is kept back for deletions.
    pub(super) fn reserve(&self) -> &Arc<Reserve> {
        &self.reserve
    }

    /// For how long threads of this process have wanted the directory.
    pub(super) fn wanted_for(&self) -> Duration {
        self.wanted.get_or_init(Instant::now).elapsed()
    }

    /// The locks of this process, if it uses the directory.
    pub(super) fn locks(&self) -> MutexGuard<'_, Option<Locks>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a file of a document or of an upload exists.
    pub(super) fn has_files(&self) -> Result<bool, Error> {
        Ok(!files(&self.docs())?.is_empty() || !files(&self.tmp())?.is_empty())
    }
}

/// Makes the names in a directory durable.
#[cfg(unix)]
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Does nothing, because NTFS logs the changes of names itself, and a directory is not a file there.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it may fail on other systems")]
pub(super) fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The files in a directory with their lengths, without directories, because the store creates none
/// there.
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
