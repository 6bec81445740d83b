//! Reading through a codec.

use std::io;

use super::between::{Between, MOST_UNSENT, READS, SPARE, Scratch};
use super::codec::{Codec, DecodedBytes, Sinks};
use crate::layer::LayerEnd;
use crate::net::transport::{ByteStream, Read};

impl<C: Codec> Between<C> {
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
            if self.unsent() > MOST_UNSENT {
                self.flush(stream)?;
            }
            self.has_room()?;
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

    /// Fails while so much output waits that no more input is processed.
    pub(super) fn has_room(&mut self) -> io::Result<()> {
        self.reads_when_sent = self.unsent() > MOST_UNSENT;
        if self.reads_when_sent { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
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
}
