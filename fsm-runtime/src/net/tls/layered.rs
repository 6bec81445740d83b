use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};

use mio::{Registry, Token};

use super::TlsSession;
use super::config::TlsRole;
use super::session::{RECORD, Session, Unread, failure, has_record};
use crate::Peer;
use crate::net::securing::{Handshake, Securing};
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
use crate::net::transport::{BeginTls, ByteStream, PeerAddr, Read, Source};

mod handshake;

/// The size of a thread's buffer for ciphertext: more than four whole records.
const CIPHERTEXT: usize = 72 * 1024;
/// The least room of a read behind a handshake message of which a part is there.
const SPARE: usize = 1024;
/// The most records that one write makes.
const RECORDS: usize = 4;
/// The ciphertext that waits to be sent beyond which no more input is processed.
const MOST_UNSENT: usize = 128 * 1024;
/// The most reads of one turn that bring no plaintext.
const READS: usize = 2;

/// A stream that is plain at first, or for good, and encrypted once TLS has begun.
///
/// A write takes plaintext only when all of its ciphertext has left: until then it says that it would block, and
/// the caller offers the same bytes again. So unsent output is counted, bounded and timed where all output is,
/// in the connection's queue.
#[derive(Debug)]
pub struct Layered<S> {
    stream: S,
    tls: Option<Box<Tls>>,
}

/// The TLS of a connection, between its turns.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Tls {
    /// `None` once it has failed, because what has failed must not process anything any more.
    session: Option<Session>,
    /// Ciphertext that was read and not processed.
    incoming: Vec<u8>,
    /// Plaintext that a read had no room for.
    rest: Vec<u8>,
    /// Ciphertext that the socket has not taken.
    outgoing: Option<Box<Outgoing>>,
    /// The bytes of plaintext whose ciphertext has left, and whose writes do not know it yet.
    written: usize,
    /// `incoming` is a part of a handshake message, whose other records are to come.
    is_fragment: bool,
    /// The stream below ends when all of `outgoing` has left.
    shuts: bool,
    /// The peer must not take what it has got for the whole, so it is not told that this is the end.
    aborted: bool,
    /// The stream of the peer has ended without `close_notify`.
    truncated: bool,
    /// Output waits for the end of the handshake.
    holds_output: bool,
    /// A `#[tls]` state waits for the end of the handshake.
    awaited: Cell<bool>,
    /// The failure that this state has to learn.
    failure: RefCell<Option<io::Error>>,
}

/// Ciphertext that the socket has not taken.
#[derive(Debug, Default)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    /// The records of plaintext in `bytes`, in order.
    records: VecDeque<Record>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    /// The index behind its ciphertext.
    end: usize,
    /// The number of bytes of plaintext.
    plain: usize,
}

/// The buffers that the connections of a thread share.
struct Scratch {
    incoming: Box<[u8]>,
    outgoing: Vec<u8>,
}

thread_local! {
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    fn with<T>(run: impl FnOnce(&mut Self) -> T) -> T {
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

impl<S> Layered<S> {
    pub(crate) fn plain(stream: S) -> Self {
        Self { stream, tls: None }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// The session, once TLS has begun.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.tls.as_ref()?.session.as_ref()
    }

    /// Begins TLS. What was read and not used is ciphertext of the peer's, and what was written and not sent
    /// leaves as it is, before it (E2).
    pub(crate) fn begin(
        &mut self,
        role: TlsRole<'_>,
        unread: Vec<u8>,
        unsent: &UnsentOutput,
    ) -> io::Result<()> {
        let mut session = role.begin().map_err(failure)?;
        let mut outgoing = Outgoing { bytes: unsent.to_vec(), ..Outgoing::default() };
        let mut rest = Vec::new();
        // A client speaks first.
        session.decrypt(&mut [], &mut [0], &mut rest, &mut outgoing.bytes).map_err(failure)?;
        self.tls = Some(Box::new(Tls {
            session: Some(session),
            incoming: unread,
            rest,
            outgoing: (!outgoing.bytes.is_empty()).then(|| Box::new(outgoing)),
            ..Tls::default()
        }));
        Ok(())
    }

    /// Goes on with the TLS of a connection that has moved from another pool.
    pub(crate) fn resume(stream: S, tls: Box<Tls>) -> Self {
        Self { stream, tls: Some(tls) }
    }
}

impl<S: ByteStream> ByteStream for Layered<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(tls) if !tls.rest.is_empty() => Ok(tls.read_rest(buffer)),
            Some(tls) => Scratch::with(|scratch| tls.read(&mut self.stream, buffer, scratch)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.write(bytes),
            Some(_) => self.write_vectored(&[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.write_vectored(slices),
            Some(tls) => {
                Scratch::with(|scratch| tls.write(&mut self.stream, slices, &mut scratch.outgoing))
            }
        }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.close(&mut self.stream);
            if tls.outgoing.is_some() {
                tls.shuts = true;
                return Ok(());
            }
        }
        self.stream.shutdown()
    }

    fn linger(&mut self) {
        self.stream.linger();
    }

    fn abort(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.aborted = true;
        }
        self.stream.abort();
    }

    fn is_layered(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.aborted)
    }

    fn begin_tls(&mut self, begin: BeginTls<'_>) {
        self.begin_for_state(&begin);
    }

    fn handshake(&self) -> Handshake {
        match &self.tls {
            None => Handshake::ToBegin,
            Some(tls) if tls.is_handshaking() => Handshake::GoesOn,
            Some(_) => Handshake::Over,
        }
    }

    fn is_truncated(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.truncated)
    }

    fn has_unsent(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.outgoing.is_some())
    }

    fn is_within_record(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.incoming.is_empty())
    }

    fn drive(&mut self, state: &mut StreamState) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => tls.drive(&mut self.stream, state),
        }
    }
}

impl Tls {
    /// Reads what the last read had no room for.
    fn read_rest(&mut self, buffer: &mut [u8]) -> Read {
        let bytes = self.rest.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.rest[..bytes]);
        self.rest.drain(..bytes);
        if self.rest.is_empty() {
            self.rest = Vec::new();
        }
        Read { bytes, drained: false }
    }

    /// Reads ciphertext until there is plaintext, or the stream has nothing more.
    fn read(
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
    fn read_records(
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

    fn write(
        &mut self,
        stream: &mut impl ByteStream,
        slices: &[IoSlice<'_>],
        outgoing: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let flushed = self.flush(stream)?;
        if self.written > 0 {
            return Ok(std::mem::take(&mut self.written));
        }
        let Self { session: Some(session), incoming, rest, .. } = self else {
            return self.working().map(|_| 0);
        };
        if !flushed || session.is_handshaking() {
            self.holds_output |= flushed;
            return Err(io::ErrorKind::WouldBlock.into());
        }
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
    fn unsent(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.bytes.len() - outgoing.sent)
    }

    /// Sends ciphertext that waits. Returns whether nothing is left.
    fn flush(&mut self, stream: &mut impl ByteStream) -> io::Result<bool> {
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
    fn close(&mut self, stream: &mut impl ByteStream) {
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

impl<S: Source> Source for Layered<S> {
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.stream.register(registry, token)
    }

    fn detach(self, registry: &Registry) -> Option<Socket> {
        self.stream.detach(registry)
    }

    fn take_tls(&mut self) -> Option<Box<Tls>> {
        self.tls.take()
    }
}

impl<S: PeerAddr> PeerAddr for Layered<S> {
    fn peer(&self) -> io::Result<Peer> {
        self.stream.peer()
    }

    fn tls(&self) -> Option<TlsSession<'_>> {
        self.session().map(TlsSession::of)
    }

    fn secured(&self) -> Securing<'_> {
        self.tls.as_ref().map_or(Securing::Waiting, |tls| tls.secured())
    }

    fn leave_tls(&self) {
        if let Some(tls) = &self.tls {
            tls.awaited.set(false);
        }
    }
}
