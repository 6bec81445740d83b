//! Errors of the store.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use rusqlite::{ErrorCode, ffi};

use crate::http::{Refusal, Status};

/// The reason why the store failed.
#[derive(Debug)]
pub(crate) enum Error {
    /// A system call failed.
    Io { what: &'static str, path: PathBuf, error: io::Error },
    /// `SQLite` failed.
    Sql(rusqlite::Error),
    /// Another process uses the directory.
    InUse(PathBuf),
    /// The directory has files but no index, so that they may not belong to a store; it leaves them
    /// alone.
    Foreign(PathBuf),
    /// A later version of this program wrote the index.
    Version(i64),
}

impl Error {
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { what, path, error }
    }

    /// Whether the disk is full, or the process may write no larger file, so that the client is not at fault.
    pub(crate) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};

        match self {
            Self::Io { error, .. } => {
                matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
            }
            Self::Sql(error) => error.sqlite_error().is_some_and(|error| {
                // The second code says that the memory that processes share cannot grow.
                error.code == ErrorCode::DiskFull
                    || error.extended_code == ffi::SQLITE_IOERR_SHMSIZE
            }),
            _ => false,
        }
    }

    /// Whether the operation may succeed when there is more room. Beside a full disk that is a log of `SQLite`
    /// which cannot grow, because `SQLite` has no word for a quota.
    pub(super) fn needs_room(&self) -> bool {
        let failure = match self {
            Self::Sql(error) => error.sqlite_error().map(|error| error.extended_code),
            _ => None,
        };
        self.is_full() || failure == Some(ffi::SQLITE_IOERR_WRITE)
    }

    /// The answer to the client. It omits paths and causes, which belong in the log.
    pub(crate) fn refusal(&self) -> Refusal {
        if self.is_full() {
            return Refusal::new(Status::InsufficientStorage, "the disk is full");
        }
        Refusal::new(Status::InternalServerError, "the store failed")
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { what, path, error } => {
                write!(f, "cannot {what} `{}`: {error}", path.display())
            }
            Self::Sql(error) => write!(f, "the index failed: {error}"),
            Self::InUse(path) => write!(f, "another process uses `{}`", path.display()),
            Self::Foreign(path) => {
                write!(f, "`{}` has files, but no index of them", path.display())
            }
            Self::Version(version) => {
                write!(f, "the index has version {version}, which this program does not know")
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Sql(error) => Some(error),
            _ => None,
        }
    }
}
