use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};

use super::codec::{Codec, Decoded, RECORD, Sinks, Unread};
use super::outgoing::{Outgoing, Record, send};
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

/// What is between a connection and its stream, between its turns.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Between<C> {
    /// `None` once it has failed, because what has failed must not process anything any more.
    pub(super) codec: Option<C>,
    /// Bytes that were read and not processed.
    pub(super) incoming: Vec<u8>,
    /// Plaintext that a read had no room for.
    pub(super) rest: Vec<u8>,
    /// Output of the codec that the stream has not taken.
    pub(super) outgoing: Option<Box<Outgoing>>,
    /// The bytes of plaintext whose output has left, and whose writes do not know it yet.
    pub(super) written: usize,
    /// `incoming` is a part of what the codec needs, whose rest is to come.
    pub(super) is_fragment: bool,
    /// The stream below ends when all of `outgoing` has left.
    pub(super) shuts: bool,
    /// The peer must not take what it has got for the whole, so it is not told that this is the end.
    pub(super) aborted: bool,
    /// The stream below has ended before the codec's own end, which means this.
    pub(super) ended: Option<LayerEnd>,
    /// Output waits for the end of the handshake.
    pub(super) holds_output: bool,
    /// A `#[tls]` state waits for the end of the handshake.
    pub(super) awaited: Cell<bool>,
    /// The failure that this state has to learn.
    pub(super) failure: RefCell<Option<io::Error>>,
}

impl<C> Default for Between<C> {
    fn default() -> Self {
        Self {
            codec: None,
            incoming: Vec::new(),
            rest: Vec::new(),
            outgoing: None,
            written: 0,
            is_fragment: false,
            shuts: false,
            aborted: false,
            ended: None,
            holds_output: false,
            awaited: Cell::default(),
            failure: RefCell::default(),
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
        !self.incoming.is_empty() || self.ended == Some(LayerEnd::Cut)
    }

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
                let drained = drained && self.rest.is_empty() && !self.can_decode();
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
        self.codec.as_ref().is_some_and(|codec| codec.can_decode(&self.incoming))
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
        let mut kept = std::mem::take(&mut self.incoming);
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
                    self.incoming = kept;
                    self.end_below();
                    return Ok((0, false));
                }
                Ok(Read { bytes, drained }) => (&mut buffer[..before + bytes], drained),
                Err(error) => {
                    self.incoming = kept;
                    return Err(error);
                }
            }
        };
        let Some(codec) = &mut self.codec else { return Ok((0, drained)) };
        let decoded = codec.decode(wire, Sinks { plain, rest: &mut self.rest, outgoing });
        if !outgoing.is_empty() {
            self.outgoing.get_or_insert_default().bytes.extend_from_slice(outgoing);
            outgoing.clear();
            // What stays waits for an event.
            self.flush(stream)?;
        }
        let Decoded { used, plain } = self.unless_failed(decoded)?;
        self.is_fragment = used == 0 && plain == 0;
        let left = &wire[used..];
        if !left.is_empty() {
            self.incoming = left.to_vec();
        }
        Ok((plain, drained))
    }

    /// Notes what the end of the stream below means.
    fn end_below(&mut self) {
        let Some(codec) = &self.codec else { return };
        self.ended = Some(match codec.end() {
            LayerEnd::Whole if !self.incoming.is_empty() => LayerEnd::Cut,
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
        let Self { codec: Some(codec), incoming, rest, .. } = self else { return Ok(0) };
        let mut records = [Record::default(); RECORDS];
        let mut made = 0;
        let pieces = slices.iter().flat_map(|slice| slice.chunks(RECORD));
        for (record, piece) in records.iter_mut().zip(pieces) {
            let unread = Unread { incoming, rest };
            let plain = match codec.encode(piece, unread, outgoing) {
                Ok(plain) => plain,
                Err(error) => return self.unless_failed(Err(error)),
            };
            *record = Record { end: outgoing.len(), plain };
            made += 1;
            if plain < piece.len() {
                break;
            }
        }
        let records = &records[..made];
        let (sent, error) = send(stream, outgoing);
        if let Some(error) = error {
            return Err(error);
        }
        if sent < outgoing.len() {
            self.outgoing = Some(Box::new(Outgoing::behind(sent, outgoing, records)));
        }
        let left = records.iter().take_while(|record| record.end <= sent);
        some(left.map(|record| record.plain).sum())
    }

    /// The output that waits to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.len())
    }

    /// Sends output that waits. Returns whether nothing is left.
    pub(super) fn flush(&mut self, stream: &mut impl ByteStream) -> io::Result<bool> {
        let Some(outgoing) = &mut self.outgoing else { return Ok(true) };
        let (written, result) = outgoing.flush(stream);
        self.written += written;
        if outgoing.len() == 0 {
            self.outgoing = None;
        }
        result.map(|()| self.outgoing.is_none())
    }

    /// Ends our stream.
    pub(super) fn close(&mut self, stream: &mut impl ByteStream) {
        let Self { codec: Some(codec), incoming, rest, outgoing, .. } = self else { return };
        if codec.is_handshaking() || self.aborted {
            return;
        }
        let closed = Scratch::with(|scratch| {
            let closed = codec.close(Unread { incoming, rest }, &mut scratch.outgoing);
            outgoing.get_or_insert_default().bytes.extend_from_slice(&scratch.outgoing);
            closed
        });
        if closed.is_err() {
            self.codec = None;
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
