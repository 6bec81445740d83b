//! Files that are sent by reading them.

use std::cell::Cell;
use std::fs::File;
use std::io;

use crate::net::transport::{ByteStream, FileSent};

/// The most bytes of one read.
const PIECE: usize = 64 * 1024;

thread_local! {
    /// The thread's buffer, once it has sent a file this way.
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Reads at most `most` bytes at `at`, and writes them. Bytes that the stream does not take are read again by the
/// next call. Sends 0 at the end of the file.
pub(super) fn copy(
    stream: &mut (impl ByteStream + ?Sized),
    file: &File,
    at: u64,
    most: usize,
) -> io::Result<FileSent> {
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; PIECE].into_boxed_slice());
    let piece = &mut buffer[..most.min(PIECE)];
    let copied = match read_at(file, piece, at) {
        Ok(0) => Ok(0),
        Ok(read) => stream.write(&piece[..read]),
        Err(error) => Err(error),
    };
    BUFFER.set(Some(buffer));
    copied.map(FileSent::some)
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

/// Reading moves the position of the file, too, which nothing here depends on.
#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// Other systems have no files at all.
#[cfg(not(any(unix, windows)))]
fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
