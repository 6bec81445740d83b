use std::io::{self, Read, Write};
use std::time::Instant;

use super::message::{DATA, Message};
use crate::net::fd_channel::FdChannel;

/// The most bytes of a piece.
const PIECE: usize = 256 * 1024;

/// Sends a part of the data in pieces.
pub(super) struct PartWriter<'a> {
    to: &'a FdChannel,
    piece: Vec<u8>,
    /// When it must have been sent.
    until: Option<Instant>,
}

impl<'a> PartWriter<'a> {
    pub(super) fn new(to: &'a FdChannel, until: Option<Instant>) -> Self {
        Self { to, piece: Vec::with_capacity(PIECE), until }
    }

    /// Ends the part.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        Message::DataEnd.send(self.to)
    }
}

impl Write for PartWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.until.is_some_and(|until| Instant::now() >= until) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if !self.piece.is_empty() {
            self.to.send(DATA, &self.piece, &[])?;
            self.piece.clear();
        }
        Ok(())
    }
}

/// Receives a part of the data. It ends with the part.
pub(super) struct PartReader<'a> {
    from: &'a FdChannel,
    piece: io::Cursor<Vec<u8>>,
    ended: bool,
    refused: Option<String>,
}

impl<'a> PartReader<'a> {
    pub(super) fn new(from: &'a FdChannel) -> Self {
        Self { from, piece: io::Cursor::default(), ended: false, refused: None }
    }

    /// Skips what is unread.
    pub(super) fn finish(mut self) -> io::Result<()> {
        io::copy(&mut self, &mut io::sink()).map(drop)
    }

    /// The reason of the old process, if it has given up in the middle.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }
}

impl Read for PartReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || self.ended || buffer.is_empty() {
                return Ok(read);
            }
            match Message::receive(self.from)? {
                Some(Message::Data { bytes }) => self.piece = io::Cursor::new(bytes),
                Some(Message::DataEnd) => self.ended = true,
                Some(Message::Refused { why }) => {
                    self.refused = Some(why.clone());
                    return Err(io::Error::other(why));
                }
                Some(other) => {
                    let why = format!("`{}` in place of data", other.name());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn u10_the_last_part_of_the_data_takes_a_bounded_time() {
        let (here, there) = UnixStream::pair().unwrap();
        let (here, there) = (FdChannel::new(here), FdChannel::new(there));
        let mut part = PartWriter::new(&here, None);
        part.write_all(b"all of it").unwrap();
        part.finish().unwrap();
        let mut all = String::new();
        PartReader::new(&there).read_to_string(&mut all).unwrap();
        assert_eq!(all, "all of it");
        let mut late = PartWriter::new(&here, Some(Instant::now()));
        late.write_all(b"a piece").unwrap();
        assert_eq!(late.finish().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
