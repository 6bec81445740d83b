use std::collections::VecDeque;
use std::io;

use crate::net::transport::ByteStream;

/// Bytes of a codec that the stream below has not taken.
#[derive(Debug, Default)]
pub(crate) struct UnsentBytes {
    pub(super) bytes: Vec<u8>,
    pub(super) sent: usize,
    /// The records of plaintext in `bytes`, in order.
    pub(super) records: VecDeque<Record>,
    /// The stream has taken some of it since somebody has looked.
    pub(super) moves: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Record {
    /// The index behind its bytes.
    pub(super) end: usize,
    /// The number of bytes of plaintext.
    pub(super) plain: usize,
}

impl UnsentBytes {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// The rest of `bytes` with these records when the first `sent` have left.
    pub(super) fn behind(sent: usize, bytes: &[u8], records: &[Record]) -> Self {
        let left = records.iter().filter(|record| record.end > sent);
        Self {
            bytes: bytes[sent..].to_vec(),
            records: left.map(|record| Record { end: record.end - sent, ..*record }).collect(),
            ..Self::default()
        }
    }

    /// The number of bytes that wait to be sent.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    /// Sends until nothing is left or the stream takes no more. Returns the plaintext whose bytes have all left.
    pub(super) fn flush(&mut self, stream: &mut impl ByteStream) -> (usize, io::Result<()>) {
        let (sent, error) = send(stream, &self.bytes[self.sent..]);
        self.sent += sent;
        self.moves |= sent > 0;
        let mut written = 0;
        while let Some(record) = self.records.front().filter(|next| next.end <= self.sent) {
            written += record.plain;
            self.records.pop_front();
        }
        if self.len() == 0 {
            *self = Self { moves: self.moves, ..Self::default() };
        }
        (written, error.map_or(Ok(()), Err))
    }
}

/// Sends until nothing is left or the stream takes no more. Returns how many bytes it took.
pub(super) fn send(stream: &mut impl ByteStream, bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(0) => return (sent, Some(io::ErrorKind::WriteZero.into())),
            Ok(more) => sent += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return (sent, Some(error)),
        }
    }
    (sent, None)
}
