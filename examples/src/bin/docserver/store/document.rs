//! Documents.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use super::{Directory, Error};
use crate::api;
use crate::http::Name;

/// A document's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(super) id: i64,
    pub(crate) name: String,
    pub(crate) len: u64,
    /// Its hexadecimal digits are the document's strong `ETag`.
    pub(crate) digest: Digest,
    /// The time when it was filed, in whole milliseconds.
    pub(crate) modified: SystemTime,
    pub(crate) path: PathBuf,
}

/// The SHA-256 digest of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(pub(super) [u8; 32]);

/// The columns that [`Document::read`] reads.
pub(super) const COLUMNS: &str = "id, name, len, digest, modified, file";

/// Finds a document.
pub(super) fn find(
    sql: &Connection,
    directory: &Directory,
    name: &Name,
) -> Result<Option<Document>, Error> {
    let query = format!("SELECT {COLUMNS} FROM documents WHERE name = ?1");
    let mut statement = sql.prepare_cached(&query)?;
    let document = statement.query_row([name.as_str()], |row| Document::read(row, directory));
    Ok(document.optional()?)
}

impl Document {
    pub(super) fn read(row: &Row<'_>, directory: &Directory) -> rusqlite::Result<Self> {
        let file: String = row.get(5)?;
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            len: row.get(2)?,
            digest: row.get(3)?,
            modified: from_millis(row.get(4)?),
            path: directory.docs().join(file),
        })
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time this many milliseconds after the Unix epoch, or the epoch if the system has no such time.
pub(super) fn from_millis(millis: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(UNIX_EPOCH)
}

impl From<Document> for api::Document {
    fn from(document: Document) -> Self {
        Self {
            sha256: document.digest.to_string(),
            modified: millis(document.modified),
            name: document.name,
            len: document.len,
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl ToSql for Digest {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Digest {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes.try_into().map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}
