use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use crate::net::tls::records::{Unread, has_record};
use crate::net::tls::session::{RECORD, Session};
use crate::net::transport::{ByteStream, Read};

/// The size of a thread's buffer for ciphertext: more than four whole records.
const CIPHERTEXT: usize = 72 * 1024;
/// The least room of a read behind a handshake message of which a part is there.
const SPARE: usize = 1024;
/// The most records that one write makes.
const RECORDS: usize = 4;
/// The ciphertext that waits to be sent beyond which no more input is processed.
pub(super) const MOST_UNSENT: usize = 128 * 1024;
/// The most reads of one turn that bring no plaintext.
pub(super) const READS: usize = 2;

/// The TLS of a connection, between its turns.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Tls {
    /// `None` once it has failed, because what has failed must not process anything any more.
    pub(super) session: Option<Session>,
    /// Ciphertext that was read and not processed.
    pub(super) incoming: Vec<u8>,
    /// Plaintext that a read had no room for.
    pub(super) rest: Vec<u8>,
    /// Ciphertext that the socket has not taken.
    pub(super) outgoing: Option<Box<Outgoing>>,
    /// The bytes of plaintext whose ciphertext has left, and whose writes do not know it yet.
    pub(super) written: usize,
    /// `incoming` is a part of a handshake message, whose other records are to come.
    pub(super) is_fragment: bool,
    /// The stream below ends when all of `outgoing` has left.
    pub(super) shuts: bool,
    /// The peer must not take what it has got for the whole, so it is not told that this is the end.
    pub(super) aborted: bool,
    /// The stream of the peer has ended without `close_notify`.
    pub(super) truncated: bool,
    /// Output waits for the end of the handshake.
    pub(super) holds_output: bool,
    /// A `#[tls]` state waits for the end of the handshake.
    pub(super) awaited: Cell<bool>,
    /// The failure that this state has to learn.
    pub(super) failure: RefCell<Option<io::Error>>,
}

/// Ciphertext that the socket has not taken.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) bytes: Vec<u8>,
    pub(super) sent: usize,
    /// The records of plaintext in `bytes`, in order.
    pub(super) records: VecDeque<Record>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    /// The index behind its ciphertext.
    end: usize,
    /// The number of bytes of plaintext.
    plain: usize,
}

/// The buffers that the connections of a thread share.
pub(super) struct Scratch {
    pub(super) incoming: Box<[u8]>,
    pub(super) outgoing: Vec<u8>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    pub(super) fn with<T>(run: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH.take().unwrap_or_else(|| {
            let incoming = vec![0; CIPHERTEXT].into_boxed_slice();
            Box::new(Self { incoming, outgoing: Vec::with_capacity(CIPHERTEXT) })
        });
        let result = run(&mut scratch);
        scratch.outgoing.clear();
        SCRATCH.set(Some(scratch));
        result
    }
}

impl Tls {
    /// Reads what the last read had no room for.
    pub(super) fn read_rest(&mut self, buffer: &mut [u8]) -> Read {
        let bytes = self.rest.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.rest[..bytes]);
        self.rest.drain(..bytes);
        if self.rest.is_empty() {
            self.rest = Vec::new();
        }
        Read { bytes, drained: false }
    }

    /// Reads ciphertext until there is plaintext, or the stream has nothing more.
    pub(super) fn read(
        &mut self,
        stream: &mut impl ByteStream,
        plain: &mut [u8],
        scratch: &mut Scratch,
    ) -> io::Result<Read> {
        for _ in 0..READS {
            if self.working()?.has_closed() {
                return Ok(Read { bytes: 0, drained: false });
            }
            if self.unsent() > MOST_UNSENT && !self.flush(stream)? {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let (bytes, drained) = self.read_records(stream, plain, scratch)?;
            if bytes > 0 {
                let drained = drained && self.rest.is_empty() && !has_record(&self.incoming);
                return Ok(Read { bytes, drained: drained && !self.working()?.has_closed() });
            }
            if self.truncated {
                return Ok(Read { bytes: 0, drained: false });
            }
        }
        // Others have their turns, and this stream goes on in its next one.
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Processes the records that are there, or reads once and processes what there is then. Returns the number
    /// of bytes of plaintext, and whether the stream has nothing more.
    pub(super) fn read_records(
        &mut self,
        stream: &mut impl ByteStream,
        plain: &mut [u8],
        scratch: &mut Scratch,
    ) -> io::Result<(usize, bool)> {
        let Scratch { incoming: buffer, outgoing } = scratch;
        let mut kept = std::mem::take(&mut self.incoming);
        let (ciphertext, drained) = if has_record(&kept) && !self.is_fragment {
            (&mut kept[..], false)
        } else {
            let before = kept.len();
            if before + SPARE > buffer.len() {
                let error = rustls::Error::General("a handshake message is too long".to_owned());
                return Err(self.failed(error));
            }
            buffer[..before].copy_from_slice(&kept);
            match stream.read(&mut buffer[before..]) {
                Ok(Read { bytes: 0, .. }) => {
                    self.truncated = true;
                    self.incoming = kept;
                    return Ok((0, false));
                }
                Ok(Read { bytes, drained }) => (&mut buffer[..before + bytes], drained),
                Err(error) => {
                    self.incoming = kept;
                    return Err(error);
                }
            }
        };
        let Some(session) = &mut self.session else { return Ok((0, drained)) };
        let decrypted = session.decrypt(ciphertext, plain, &mut self.rest, outgoing);
        if !outgoing.is_empty() {
            self.outgoing.get_or_insert_default().bytes.extend_from_slice(outgoing);
            outgoing.clear();
            // What stays waits for an event.
            self.flush(stream)?;
        }
        let decrypted = decrypted.map_err(|error| self.failed(error))?;
        self.is_fragment = decrypted.used == 0 && decrypted.plain == 0;
        let left = &ciphertext[decrypted.used..];
        if !left.is_empty() {
            self.incoming = left.to_vec();
        }
        Ok((decrypted.plain, drained))
    }

    /// Sends ciphertext that waits, so that a write can follow. Returns the bytes of plaintext whose ciphertext has
    /// left, if there are any, in place of that write.
    pub(super) fn make_room(&mut self, stream: &mut impl ByteStream) -> io::Result<Option<usize>> {
        let flushed = self.flush(stream)?;
        if self.written > 0 {
            return Ok(Some(std::mem::take(&mut self.written)));
        }
        if self.working()?.is_handshaking() || !flushed {
            self.holds_output |= flushed;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(None)
    }

    pub(super) fn write(
        &mut self,
        stream: &mut impl ByteStream,
        slices: &[IoSlice<'_>],
        outgoing: &mut Vec<u8>,
    ) -> io::Result<usize> {
        if let Some(written) = self.make_room(stream)? {
            return Ok(written);
        }
        let Self { session: Some(session), incoming, rest, .. } = self else { return Ok(0) };
        let mut records = [Record { end: 0, plain: 0 }; RECORDS];
        let mut made = 0;
        let pieces = slices.iter().flat_map(|slice| slice.chunks(RECORD));
        for (record, piece) in records.iter_mut().zip(pieces) {
            let unread = Unread { incoming, rest };
            let plain = match session.encrypt(piece, unread, outgoing) {
                Ok(plain) => plain,
                Err(error) => return Err(self.failed(error)),
            };
            *record = Record { end: outgoing.len(), plain };
            made += 1;
        }
        let records = &records[..made];
        let (sent, error) = send(stream, outgoing);
        if let Some(error) = error {
            return Err(error);
        }
        if sent == outgoing.len() {
            return some(records.iter().map(|record| record.plain).sum());
        }
        self.outgoing = Some(Box::new(Outgoing {
            bytes: outgoing[sent..].to_vec(),
            sent: 0,
            records: records
                .iter()
                .filter(|record| record.end > sent)
                .map(|record| Record { end: record.end - sent, ..*record })
                .collect(),
        }));
        let left = records.iter().take_while(|record| record.end <= sent);
        some(left.map(|record| record.plain).sum())
    }

    /// The ciphertext that waits to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.bytes.len() - outgoing.sent)
    }

    /// Sends ciphertext that waits. Returns whether nothing is left.
    pub(super) fn flush(&mut self, stream: &mut impl ByteStream) -> io::Result<bool> {
        let Some(outgoing) = &mut self.outgoing else { return Ok(true) };
        let (sent, error) = send(stream, &outgoing.bytes[outgoing.sent..]);
        outgoing.sent += sent;
        while let Some(record) = outgoing.records.front().filter(|next| next.end <= outgoing.sent) {
            self.written += record.plain;
            outgoing.records.pop_front();
        }
        if outgoing.sent == outgoing.bytes.len() {
            self.outgoing = None;
        }
        match error {
            Some(error) => Err(error),
            None => Ok(self.outgoing.is_none()),
        }
    }

    /// Ends our stream.
    pub(super) fn close(&mut self, stream: &mut impl ByteStream) {
        let Self { session: Some(session), incoming, rest, outgoing, .. } = self else { return };
        if session.is_handshaking() || self.aborted {
            return;
        }
        let closed = Scratch::with(|scratch| {
            let closed = session.close(Unread { incoming, rest }, &mut scratch.outgoing);
            outgoing.get_or_insert_default().bytes.extend_from_slice(&scratch.outgoing);
            closed
        });
        if closed.is_err() {
            self.session = None;
        }
        if self.flush(stream).is_err() {
            // The end of the stream below follows in any case.
            self.outgoing = None;
        }
    }
}

/// The result of a write of so many bytes.
fn some(written: usize) -> io::Result<usize> {
    if written == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(written) }
}

/// Sends until nothing is left or the stream takes no more. Returns how many bytes it took.
fn send(stream: &mut impl ByteStream, bytes: &[u8]) -> (usize, Option<io::Error>) {
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
