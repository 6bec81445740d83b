//! Files that are not documents yet.

#[cfg(unix)]
use std::ffi::OsStr;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Removes a file when dropped, unless `keep` was called.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    is_kept: bool,
}

impl Temporary {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, is_kept: false }
    }

    pub(super) fn keep(&mut self) {
        self.is_kept = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_kept {
            // If this fails, `Store::open` removes the file later.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A name that no other file of any store has.
pub(super) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // Relaxed is enough, because only the uniqueness of the number matters.
    format!("{}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The part of the names of files that tells the process which has made them.
static PROCESS: LazyLock<String> =
    LazyLock::new(|| format!("{:016x}", RandomState::new().build_hasher().finish()));

/// Whether this process has made a file of a document or of an upload.
#[cfg(unix)]
pub(super) fn is_own(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.rsplit('-').nth(1) == Some(&**PROCESS))
}
