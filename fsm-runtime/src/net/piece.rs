//! Queued output that is not copied.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::net::transport::{ByteStream, FileSent};

/// A piece of queued output that is not copied.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    File(FilePart),
}

/// A part of a file.
#[derive(Debug)]
pub(super) struct FilePart {
    file: Arc<File>,
    at: u64,
    left: usize,
    /// The length of the file, once it was asked for.
    len: Cell<u64>,
}

impl Piece {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(part) => part.left,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes the first `n` bytes.
    pub(super) fn advance(&mut self, n: usize) {
        match self {
            Self::Bytes(bytes) => bytes.advance(n),
            Self::File(part) => {
                part.at += n as u64;
                part.left -= n;
            }
        }
    }
}

impl FilePart {
    pub(super) fn new(file: Arc<File>, at: u64, left: usize) -> Self {
        Self { file, at, left, len: Cell::new(0) }
    }

    /// Appends the bytes that follow in the same file. Returns whether they do.
    pub(super) fn extend(&mut self, file: &Arc<File>, at: u64, len: usize) -> bool {
        let follows = Arc::ptr_eq(&self.file, file) && self.at + self.left as u64 == at;
        if follows {
            self.left += len;
        }
        follows
    }

    /// Sends at most `most` bytes. An error that is not `WouldBlock` or `Interrupted` makes the close that follows
    /// a reset, because the peer must not take what it has got for the whole.
    pub(super) fn send(&self, socket: &mut impl ByteStream, most: usize) -> io::Result<FileSent> {
        let error = match socket.send_file(&self.file, self.at, self.left.min(most)) {
            Ok(FileSent { bytes: 0, .. }) => {
                io::Error::new(io::ErrorKind::WriteZero, "the file ends before the range")
            }
            Ok(FileSent { bytes, cut }) => {
                let cut = cut && self.goes_on_at(self.at + bytes as u64);
                return Ok(FileSent { bytes, cut });
            }
            Err(error) => error,
        };
        if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
            crate::log::debug!(at = self.at, left = self.left, %error, "a file cannot be sent");
            socket.abort();
        }
        Err(error)
    }

    /// Whether the file has bytes at this place. Its length is asked for once, because a file that becomes shorter
    /// while the peer takes it is rare, and then the send timeout makes the close a reset.
    fn goes_on_at(&self, at: u64) -> bool {
        if at >= self.len.get() {
            self.len.set(self.file.metadata().map_or(0, |file| file.len()));
        }
        at < self.len.get()
    }
}
