//! Uploads in progress.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::reserve::Reserve;
use super::temporary::{Temporary, unique};
use super::text::Utf8Check;
use super::{Digest, Directory, Error};

/// An unfinished upload. Dropping it removes its file.
#[derive(Debug)]
pub(crate) struct Spool {
    spooled: Spooled,
    reserve: Arc<Reserve>,
}

/// A finished upload, still a temporary file. Dropping it removes the file.
#[derive(Debug)]
pub(crate) struct Spooled {
    /// Open since the first byte, because `fsync` reports a failed write for certain only through
    /// the descriptor that wrote.
    pub(super) file: File,
    pub(super) temporary: Temporary,
    pub(super) unique: String,
    pub(crate) len: u64,
}

/// The result of reading a document once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digested {
    pub(crate) digest: Digest,
    /// Whether all of it is UTF-8.
    pub(crate) is_text: bool,
}

impl Spool {
    pub(crate) fn create(directory: &Directory) -> Result<Self, Error> {
        let reserve = Arc::clone(directory.reserve());
        reserve.keep()?;
        let unique = unique();
        let path = directory.tmp().join(&unique);
        let file = File::options().read(true).write(true).create_new(true).open(&path);
        let file = file.map_err(Error::io("make", &path))?;
        let spooled = Spooled { file, temporary: Temporary::new(path), unique, len: 0 };
        Ok(Self { spooled, reserve })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Self { spooled, reserve } = self;
        reserve.check()?;
        spooled.file.write_all(bytes).map_err(Error::io("write", &spooled.temporary.path))?;
        spooled.len += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// The bytes written so far.
    pub(crate) fn len(&self) -> u64 {
        self.spooled.len
    }

    /// Ends the upload.
    pub(crate) fn finish(self) -> Spooled {
        self.spooled
    }
}

impl Spooled {
    /// Reads the document once.
    pub(crate) fn digest(&self) -> Result<Digested, Error> {
        self.read().map_err(Error::io("read", &self.temporary.path))
    }

    fn read(&self) -> io::Result<Digested> {
        let (mut hash, mut check) = (Sha256::new(), Utf8Check::default());
        let mut file = &self.file;
        file.rewind()?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => {
                    hash.update(&buffer[..len]);
                    check.feed(&buffer[..len]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Digested { digest: Digest(hash.finalize().into()), is_text: check.is_text() })
    }
}
