use std::cell::Cell;
use std::io::{self, IoSlice};

use super::codec::{Codec, DecodedBytes, RECORD, Sinks, Unread};
use super::held::Held;
use super::outgoing::{Record, UnsentBytes, send};
use crate::layer::LayerEnd;
use crate::net::transport::{ByteStream, Read};

/// The size of a thread's buffer for what is read from the stream below: more than four whole records of TLS.
const WIRE: usize = 72 * 1024;
/// The least room of a read behind bytes that were read before and not used.
const SPARE: usize = 1024;
/// The most records that one write makes.
const RECORDS: usize = 4;
/// The output that waits to be sent beyond which no more input is processed.
pub(super) const MOST_UNSENT: usize = 128 * 1024;
/// The most reads of one turn that bring no plaintext.
pub(super) const READS: usize = 2;

/// The codec between a connection and its stream, with the bytes that it holds between two turns.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Between<C> {
    /// `None` once it has failed, because what has failed must not process anything any more.
    pub(super) codec: Option<C>,
    /// Bytes on their way, if there are any.
    pub(super) held: Option<Box<Held>>,
    /// The bytes that were read and not processed are a part of what the codec needs, whose rest is to come.
    pub(super) is_fragment: bool,
    /// The stream below ends when all output of the codec has left.
    pub(super) shuts: bool,
    /// The peer must not take what it has got for the whole, so it is not told that this is the end.
    pub(super) aborted: bool,
    /// The stream below has ended before the codec's own end, which means this.
    pub(super) ended: Option<LayerEnd>,
    /// Output waits for the end of the handshake.
    pub(super) holds_output: bool,
    /// A `#[tls]` state waits for the end of the handshake.
    pub(super) awaited: Cell<bool>,
}

impl<C> Default for Between<C> {
    fn default() -> Self {
        Self {
            codec: None,
            held: None,
            is_fragment: false,
            shuts: false,
            aborted: false,
            ended: None,
            holds_output: false,
            awaited: Cell::default(),
        }
    }
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
            let incoming = vec![0; WIRE].into_boxed_slice();
            Box::new(Self { incoming, outgoing: Vec::with_capacity(WIRE) })
        });
        let result = run(&mut scratch);
        scratch.outgoing.clear();
        scratch.outgoing.shrink_to(2 * WIRE);
        SCRATCH.set(Some(scratch));
        result
    }
}

impl<C: Codec> Between<C> {
    pub(super) fn is_handshaking(&self) -> bool {
        self.codec.as_ref().is_some_and(Codec::is_handshaking)
    }

    /// The codec, unless it has failed.
    pub(super) fn working(&mut self) -> io::Result<&mut C> {
        self.codec.as_mut().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the session has failed before")
        })
    }

    /// Whether the peer's stream may be cut off.
    pub(super) fn is_truncated(&self) -> bool {
        matches!(self.ended, Some(LayerEnd::Unsaid | LayerEnd::Cut))
    }

    /// Whether a part of what the codec needs is unread, whose rest has not come.
    pub(super) fn is_within_record(&self) -> bool {
        !self.unprocessed().is_empty() || self.ended == Some(LayerEnd::Cut)
    }

    /// The bytes that were read and not processed.
    fn unprocessed(&self) -> &[u8] {
        self.held.as_ref().map_or(&[], |held| &held.incoming)
    }

    /// Whether there is plaintext that a read had no room for.
    pub(super) fn has_rest(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.rest.is_empty())
    }

    /// Reads what the last read had no room for.
    pub(super) fn read_rest(&mut self, buffer: &mut [u8]) -> Read {
        let held = self.held();
        let bytes = held.rest.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&held.rest[..bytes]);
        held.rest.drain(..bytes);
        if held.rest.is_empty() {
            held.rest = Vec::new();
        }
        self.tidy();
        Read { bytes, drained: false }
    }

    pub(super) fn held(&mut self) -> &mut Held {
        self.held.get_or_insert_default()
    }

    /// Gives the memory of `held` back if it is of no use.
    pub(super) fn tidy(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.is_empty()) {
            self.held = None;
        }
    }

    /// Takes what was received and not used out: bytes that were not processed, and plaintext.
    fn take_unread(&mut self) -> (Vec<u8>, Vec<u8>) {
        let Some(held) = &mut self.held else { return Default::default() };
        (std::mem::take(&mut held.incoming), std::mem::take(&mut held.rest))
    }

    /// Keeps what was received and not used.
    fn keep_unread(&mut self, incoming: Vec<u8>, rest: Vec<u8>) {
        if incoming.is_empty() && rest.is_empty() {
            return self.tidy();
        }
        let held = self.held();
        (held.incoming, held.rest) = (incoming, rest);
    }

    /// Reads from the stream until there is plaintext, or it has nothing more.
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
                let drained = drained && !self.has_rest() && !self.can_decode();
                return Ok(Read { bytes, drained: drained && !self.working()?.has_closed() });
            }
            if self.ended.is_some() {
                return Ok(Read { bytes: 0, drained: false });
            }
        }
        // Others have their turns, and this stream goes on in its next one.
        Err(io::ErrorKind::ResourceBusy.into())
    }

    fn can_decode(&self) -> bool {
        self.codec.as_ref().is_some_and(|codec| codec.can_decode(self.unprocessed()))
    }

    /// Processes what is there, or reads once and processes what there is then. Returns the number
    /// of bytes of plaintext, and whether the stream has nothing more.
    pub(super) fn read_records(
        &mut self,
        stream: &mut impl ByteStream,
        plain: &mut [u8],
        scratch: &mut Scratch,
    ) -> io::Result<(usize, bool)> {
        let Scratch { incoming: buffer, outgoing } = scratch;
        let goes_on = !self.is_fragment && self.can_decode();
        let (mut kept, mut rest) = self.take_unread();
        let (wire, drained) = if goes_on {
            (&mut kept[..], false)
        } else {
            let before = kept.len();
            if before + SPARE > buffer.len() {
                self.codec = None;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a record is too long"));
            }
            buffer[..before].copy_from_slice(&kept);
            match stream.read(&mut buffer[before..]) {
                Ok(Read { bytes: 0, .. }) => {
                    self.keep_unread(kept, rest);
                    self.end_below();
                    return Ok((0, false));
                }
                Ok(Read { bytes, drained }) => (&mut buffer[..before + bytes], drained),
                Err(error) => {
                    self.keep_unread(kept, rest);
                    return Err(error);
                }
            }
        };
        let Some(codec) = &mut self.codec else { return Ok((0, drained)) };
        let decoded = codec.decode(wire, Sinks { plain, rest: &mut rest, outgoing });
        if !outgoing.is_empty() {
            self.held().outgoing.bytes.extend_from_slice(outgoing);
            outgoing.clear();
            // The rest waits for an event.
            self.flush(stream)?;
        }
        let DecodedBytes { used, plain } = self.unless_failed(decoded)?;
        self.is_fragment = used == 0 && plain == 0;
        self.keep_unread(wire[used..].to_vec(), rest);
        Ok((plain, drained))
    }

    /// Notes what the end of the stream below means.
    fn end_below(&mut self) {
        let Some(codec) = &self.codec else { return };
        self.ended = Some(match codec.end() {
            LayerEnd::Whole if !self.unprocessed().is_empty() => LayerEnd::Cut,
            LayerEnd::Whole if codec.is_handshaking() => LayerEnd::Unsaid,
            end => end,
        });
    }

    /// A codec that has failed processes nothing any more.
    fn unless_failed<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if result.is_err() {
            self.codec = None;
        }
        result
    }

    /// Sends output that waits, so that a write can follow. Returns the bytes of plaintext whose output has
    /// left, if there are any, in place of that write.
    pub(super) fn make_room(&mut self, stream: &mut impl ByteStream) -> io::Result<Option<usize>> {
        let flushed = self.flush(stream)?;
        if let Some(held) = self.held.as_mut().filter(|held| held.written > 0) {
            let written = std::mem::take(&mut held.written);
            self.tidy();
            return Ok(Some(written));
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
        let mut records = [Record::default(); RECORDS];
        let made = self.encode(slices, &mut records, outgoing)?;
        let records = &records[..made];
        let (sent, error) = send(stream, outgoing);
        if let Some(error) = error {
            return Err(error);
        }
        if sent < outgoing.len() {
            self.held().outgoing = UnsentBytes::behind(sent, outgoing, records);
        }
        let left = records.iter().take_while(|record| record.end <= sent);
        some(left.map(|record| record.plain).sum())
    }

    /// Makes records of plaintext. Returns how many.
    fn encode(
        &mut self,
        slices: &[IoSlice<'_>],
        records: &mut [Record],
        outgoing: &mut Vec<u8>,
    ) -> io::Result<usize> {
        let (mut incoming, mut rest) = self.take_unread();
        let Some(codec) = &mut self.codec else { return Ok(0) };
        let mut made = 0;
        let mut failed = None;
        let pieces = slices.iter().flat_map(|slice| slice.chunks(RECORD));
        for (record, piece) in records.iter_mut().zip(pieces) {
            let unread = Unread { incoming: &mut incoming, rest: &mut rest };
            let plain = match codec.encode(piece, unread, outgoing) {
                Ok(plain) => plain,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            };
            *record = Record { end: outgoing.len(), plain };
            made += 1;
            if plain < piece.len() {
                break;
            }
        }
        self.keep_unread(incoming, rest);
        self.unless_failed(failed.map_or(Ok(made), Err))
    }

    /// The output that waits to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.outgoing.len())
    }

    /// Sends output that waits. Returns whether nothing is left.
    pub(super) fn flush(&mut self, stream: &mut impl ByteStream) -> io::Result<bool> {
        let Some(held) = &mut self.held else { return Ok(true) };
        if held.outgoing.len() == 0 {
            return Ok(true);
        }
        let (written, result) = held.outgoing.flush(stream);
        held.written += written;
        result.map(|()| self.unsent() == 0)
    }

    /// Ends our stream.
    pub(super) fn close(&mut self, stream: &mut impl ByteStream) {
        if self.codec.is_none() || self.is_handshaking() || self.aborted {
            return;
        }
        let (mut incoming, mut rest) = self.take_unread();
        let Some(codec) = &mut self.codec else { return };
        let (closed, end) = Scratch::with(|scratch| {
            let unread = Unread { incoming: &mut incoming, rest: &mut rest };
            let closed = codec.close(unread, &mut scratch.outgoing);
            (closed, scratch.outgoing.clone())
        });
        if closed.is_err() {
            self.codec = None;
        }
        self.held().outgoing.bytes.extend(end);
        if self.flush(stream).is_err() {
            // The end of the stream below follows in any case.
            self.held().outgoing = UnsentBytes::default();
        }
        self.keep_unread(incoming, rest);
    }

    /// Checks that the peer does what is waited for beside the machine: it makes its handshake, and takes what the
    /// codec itself has to tell. Both have so much time, which starts anew with any byte of the latter. A handshake
    /// that a `#[tls]` state waits for has the time of that state.
    pub(super) fn check_time(&mut self, now: u64, within: u64) -> io::Result<()> {
        let handshakes = self.is_handshaking();
        let waits = if handshakes { !self.awaited.get() } else { self.unsent() > 0 };
        if !waits {
            if let Some(held) = &mut self.held {
                held.due = u64::MAX;
                self.tidy();
            }
            return Ok(());
        }
        let held = self.held();
        let moves = std::mem::take(&mut held.outgoing.moves) && !handshakes;
        if moves || held.due == u64::MAX {
            held.due = now.saturating_add(within);
        }
        match held.due > now {
            true => Ok(()),
            false if handshakes => {
                let why = "the peer has not made its handshake in time";
                Err(io::Error::new(io::ErrorKind::InvalidData, why))
            }
            false => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// The time by which [`check_time`](Self::check_time) has to look again; `u64::MAX` if the machine's own times
    /// suffice.
    pub(super) fn due(&self) -> u64 {
        self.held.as_ref().map_or(u64::MAX, |held| held.due)
    }
}

/// The result of a write of so many bytes.
fn some(written: usize) -> io::Result<usize> {
    if written == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(written) }
}
