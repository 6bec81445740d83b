use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::Bytes;

use crate::net::piece::{FilePart, Piece};
use crate::net::transport::{ByteStream, FileSent};

/// Pieces shorter than this are copied, because an entry of a vectored write costs more than
/// copying them.
const COPY_BELOW: usize = 1024;
/// The most slices of one vectored write.
const SLICES: usize = 32;
/// The most bytes of files that a turn sends (X4).
const FILE_BYTES: usize = 2 * 1024 * 1024;
/// The most capacity that a thread's buffer keeps between turns, in bytes.
const KEEP_CAPACITY: usize = 256 * 1024;

/// Output that handlers have queued and the socket has not taken.
///
/// Each thread has one and lends it to the connection whose turn it runs. The output of a turn
/// leaves in one system call at its end. Output that the socket does not take then moves into the
/// connection, so that a connection with nothing to send holds no buffer.
#[derive(Debug, Default)]
pub(crate) struct SendBuffer {
    /// Unsent output of earlier turns, oldest first.
    queue: VecDeque<Piece>,
    /// Output that this turn copied; the socket has taken the first `sent` bytes of it.
    buffer: Vec<u8>,
    sent: usize,
    /// Output that this turn queued without copying. Each piece goes before the byte of `buffer` at
    /// its index.
    splices: VecDeque<(usize, Piece)>,
    /// The bytes in `queue` and `splices`.
    shared: usize,
    /// The bytes of files that this turn has sent.
    files_sent: usize,
}

/// The result of a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Nothing is left.
    All,
    /// The socket takes no more.
    Blocked,
    /// A file goes on in another turn.
    Paused,
}

impl SendBuffer {
    /// Begins a turn, of which files have a share.
    #[inline]
    pub(crate) fn begin_turn(&mut self) {
        self.files_sent = 0;
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.shared + self.buffer.len() - self.sent
    }

    #[inline]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(crate) fn send(&mut self, bytes: Bytes) {
        if bytes.len() < COPY_BELOW {
            self.write(&bytes);
        } else {
            self.shared += bytes.len();
            self.splices.push_back((self.buffer.len(), Piece::Bytes(bytes)));
        }
    }

    /// Queues `len` bytes of the file from `at` on.
    pub(crate) fn send_file(&mut self, file: Arc<File>, at: u64, len: usize) {
        if len > 0 {
            let room = usize::MAX - self.len();
            assert!(len <= room, "no more than `usize::MAX` bytes can be queued");
            self.shared += len;
            if self.last_file().is_some_and(|part| part.extend(&file, at, len)) {
                return;
            }
            let part = FilePart::new(file, at, len);
            self.splices.push_back((self.buffer.len(), Piece::File(part)));
        }
    }

    /// The part of a file behind which nothing is queued.
    fn last_file(&mut self) -> Option<&mut FilePart> {
        let last = match self.splices.back_mut() {
            Some((at, piece)) => (*at == self.buffer.len()).then_some(piece),
            None if self.sent == self.buffer.len() => self.queue.back_mut(),
            None => None,
        };
        match last? {
            Piece::File(part) => Some(part),
            Piece::Bytes(_) => None,
        }
    }

    /// The bytes of files that this turn has sent.
    pub(crate) fn files_sent(&self) -> usize {
        self.files_sent
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.shared == 0 && self.buffer.len() == self.sent
    }

    /// All queued output, if this turn copied it. The turn has sent nothing yet.
    #[inline]
    pub(crate) fn short(&self) -> Option<&[u8]> {
        debug_assert_eq!(self.sent, 0, "a turn begins with the output of earlier turns in `queue`");
        (self.shared == 0).then_some(&self.buffer)
    }

    /// Removes the output that [`short`](SendBuffer::short) returned, because the socket has taken
    /// it.
    #[inline]
    pub(crate) fn sent_short(&mut self) {
        self.buffer.clear();
        if self.buffer.capacity() > KEEP_CAPACITY {
            self.buffer.shrink_to(KEEP_CAPACITY);
        }
    }

    #[inline]
    pub(crate) fn buffer_mut(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Sends until nothing is left, the socket takes no more, or files have had their share of the turn.
    #[inline]
    pub(crate) fn flush(&mut self, socket: &mut impl ByteStream) -> io::Result<Flushed> {
        while !self.is_empty() {
            let result = if self.shared == 0 {
                socket.write(&self.buffer[self.sent..]).map(FileSent::some)
            } else {
                self.write_shared(socket)
            };
            match result {
                Ok(FileSent { bytes: 0, .. }) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(FileSent { bytes, cut }) => {
                    self.advance(bytes);
                    // Another try would find no room.
                    if cut {
                        return Ok(Flushed::Blocked);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Flushed::Blocked);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    return Ok(Flushed::Paused);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Flushed::All)
    }

    /// Sends the first pieces. An error of the kind `ResourceBusy` says that the first one is a file, and goes on in
    /// another turn.
    fn write_shared(&mut self, socket: &mut impl ByteStream) -> io::Result<FileSent> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let (mut count, mut file) = (0, None);
        for piece in self.pieces().take(SLICES) {
            match piece {
                Slice::Bytes(bytes) => slices[count] = IoSlice::new(bytes),
                Slice::File(part) => {
                    file = Some(part);
                    break;
                }
            }
            count += 1;
        }
        match file {
            Some(_) if count == 0 && self.files_sent >= FILE_BYTES => {
                Err(io::ErrorKind::ResourceBusy.into())
            }
            Some(part) if count == 0 => {
                let sent = part.send(socket, FILE_BYTES - self.files_sent)?;
                self.files_sent += sent.bytes;
                Ok(sent)
            }
            Some(_) if self.files_sent < FILE_BYTES => {
                socket.write_before_file(&slices[..count]).map(FileSent::some)
            }
            _ => socket.write_vectored(&slices[..count]).map(FileSent::some),
        }
    }

    /// The queued pieces in order, without empty ones.
    fn pieces(&self) -> impl Iterator<Item = Slice<'_>> {
        let mut from = self.sent;
        let spliced = self.splices.iter().flat_map(move |(at, piece)| {
            let before = &self.buffer[from..*at];
            from = *at;
            [Slice::Bytes(before), piece.into()]
        });
        let last = self.splices.back().map_or(self.sent, |(at, _)| *at);
        self.queue
            .iter()
            .map(Slice::from)
            .chain(spliced)
            .chain([Slice::Bytes(&self.buffer[last..])])
            .filter(|piece| !matches!(piece, Slice::Bytes([])))
    }

    /// Removes the first `n` bytes, which the socket has taken.
    #[inline]
    pub(crate) fn advance(&mut self, n: usize) {
        if self.shared == 0 {
            self.sent += n;
        } else {
            self.advance_shared(n);
        }
        if self.sent == self.buffer.len() && self.shared == 0 {
            self.buffer.clear();
            self.buffer.shrink_to(KEEP_CAPACITY);
            self.sent = 0;
        }
    }

    fn advance_shared(&mut self, mut n: usize) {
        while n > 0 {
            let piece = if let Some(front) = self.queue.front_mut() {
                front
            } else if let Some((at, piece)) = self.splices.front_mut() {
                if self.sent < *at {
                    let step = n.min(*at - self.sent);
                    self.sent += step;
                    n -= step;
                    continue;
                }
                piece
            } else {
                self.sent += n;
                return;
            };
            let step = n.min(piece.len());
            n -= step;
            self.shared -= step;
            piece.advance(step);
            if piece.is_empty() && self.queue.pop_front().is_none() {
                self.splices.pop_front();
            }
        }
    }

    /// Takes over the unsent output of a connection at the start of its turn.
    pub(crate) fn resume(&mut self, kept: UnsentOutput) {
        self.shared += kept.len;
        self.queue = kept.queue;
    }

    /// Moves the unsent output out, for the connection to keep until its next turn.
    pub(crate) fn keep(&mut self) -> UnsentOutput {
        let len = self.len();
        let mut queue = std::mem::take(&mut self.queue);
        // A buffer that is mostly unsent moves along. Otherwise the unsent part is copied, so that
        // the connection does not hold a large buffer for a few bytes.
        let mut rest = if self.buffer.len() - self.sent > self.buffer.capacity() / 2 {
            Bytes::from(std::mem::take(&mut self.buffer)).slice(self.sent..)
        } else {
            Bytes::copy_from_slice(&self.buffer[self.sent..])
        };
        let mut from = self.sent;
        for (at, piece) in self.splices.drain(..) {
            queue.push_back(Piece::Bytes(rest.split_to(at - from)));
            queue.push_back(piece);
            from = at;
        }
        queue.push_back(Piece::Bytes(rest));
        queue.retain(|piece| !piece.is_empty());
        self.discard();
        UnsentOutput { queue, len }
    }

    /// Drops all queued output, and shrinks a buffer that has grown beyond its bound.
    pub(crate) fn discard(&mut self) {
        self.queue.clear();
        self.splices.clear();
        self.buffer.clear();
        self.buffer.shrink_to(KEEP_CAPACITY);
        self.sent = 0;
        self.shared = 0;
    }
}

/// A piece of queued output, lent.
enum Slice<'a> {
    Bytes(&'a [u8]),
    File(&'a FilePart),
}

impl<'a> From<&'a Piece> for Slice<'a> {
    fn from(piece: &'a Piece) -> Self {
        match piece {
            Piece::Bytes(bytes) => Self::Bytes(bytes),
            Piece::File(part) => Self::File(part),
        }
    }
}

/// Unsent output of a connection between two turns.
#[derive(Debug, Default)]
pub(crate) struct UnsentOutput {
    queue: VecDeque<Piece>,
    len: usize,
}

impl UnsentOutput {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a file is among it.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) fn has_file(&self) -> bool {
        self.queue.iter().any(|piece| matches!(piece, Piece::File(_)))
    }

    /// A copy of it in one piece. Fails if a file is among it, which may be larger than memory.
    #[cfg(feature = "pool")]
    pub(crate) fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(self.len);
        for piece in &self.queue {
            match piece {
                Piece::Bytes(piece) => bytes.extend_from_slice(piece),
                Piece::File(_) => {
                    let why = "a file is queued, which cannot be copied";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, why));
                }
            }
        }
        Ok(bytes)
    }
}

impl From<Vec<u8>> for UnsentOutput {
    fn from(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        let piece = (len > 0).then(|| Piece::Bytes(bytes.into()));
        Self { queue: piece.into_iter().collect(), len }
    }
}

#[cfg(test)]
mod tests;
