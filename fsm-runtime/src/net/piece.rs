//! Queued output that is not copied.

use std::fs::File;
use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::net::transport::ByteStream;

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
        Self { file, at, left }
    }

    /// Sends at most `most` bytes. An error that is not `WouldBlock` or `Interrupted` makes the close that follows
    /// a reset, because the peer must not take what it has got for the whole.
    pub(super) fn send(&self, socket: &mut impl ByteStream, most: usize) -> io::Result<usize> {
        let error = match socket.send_file(&self.file, self.at, self.left.min(most)) {
            Ok(0) => io::Error::new(io::ErrorKind::WriteZero, "the file ends before the range"),
            Ok(sent) => return Ok(sent),
            Err(error) => error,
        };
        if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) {
            crate::log::debug!(at = self.at, left = self.left, %error, "a file cannot be sent");
            socket.abort();
        }
        Err(error)
    }
}
