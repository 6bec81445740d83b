use std::io::IoSlice;

use super::*;
use crate::layer::{Layer, LayerEnd, LayerError, LayerInput};

/// A stream in memory, whose reads and writes are of so many bytes, and block in between.
#[derive(Default)]
struct Wire {
    to_read: Vec<u8>,
    written: Vec<u8>,
    piece: usize,
    room: usize,
    blocks: bool,
}

impl Wire {
    /// Whether this call blocks: every second one does.
    fn blocks(&mut self) -> io::Result<()> {
        self.blocks = !self.blocks;
        if self.blocks { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
    }
}

impl ByteStream for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        if !self.to_read.is_empty() {
            self.blocks()?;
        }
        let bytes = self.to_read.len().min(self.piece).min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.to_read[..bytes]);
        self.to_read.drain(..bytes);
        Ok(Read { bytes, drained: false })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blocks()?;
        let bytes = &bytes[..bytes.len().min(self.room)];
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(&slices[0])
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn abort(&mut self) {}
}

/// Records of two bytes of length and bytes that are flipped; one of no bytes is the end.
struct Flips;

impl Layer for Flips {
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        _: &mut Vec<u8>,
    ) -> Result<LayerInput, LayerError> {
        assert!(plain.len() >= Self::ROOM);
        let [high, low, rest @ ..] = &*wire else { return Ok(LayerInput::MORE) };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(record) = rest.get(..length) else { return Ok(LayerInput::MORE) };
        for (plain, wire) in plain.iter_mut().zip(record) {
            *plain = !wire;
        }
        Ok(LayerInput { used: 2 + length, plain: length, ended: length == 0 })
    }

    fn output(&mut self, plain: &[u8], wire: &mut Vec<u8>) -> Result<usize, LayerError> {
        // Not all of it at a time.
        let taken = plain.len().min(1000);
        wire.extend(u16::try_from(taken)?.to_be_bytes());
        wire.extend(plain[..taken].iter().map(|byte| !byte));
        Ok(taken)
    }

    fn end(&self) -> LayerEnd {
        LayerEnd::Unsaid
    }

    fn close(&mut self, wire: &mut Vec<u8>) -> Result<(), LayerError> {
        wire.extend([0, 0]);
        Ok(())
    }
}

fn flips(stream: Wire, unread: &[u8]) -> LayeredStream<Wire, Custom<Flips>> {
    let mut layered = LayeredStream::plain(stream);
    layered.begin(Custom::new(Flips), unread.to_vec(), &UnsentOutput::default()).unwrap();
    layered
}

/// Writes all of it. Returns what the wire has got.
fn write_all(text: &[u8], room: usize, piece: usize) -> Vec<u8> {
    let mut layered = flips(Wire { room, ..Wire::default() }, &[]);
    let mut left = text;
    while !left.is_empty() {
        match layered.write_vectored(&[IoSlice::new(&left[..left.len().min(piece)])]) {
            Ok(written) => left = &left[written..],
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
    }
    layered.shutdown().unwrap();
    let mut state = StreamState::NEW;
    while layered.has_unsent() {
        state.add(crate::net::readiness::Readiness::WRITE);
        layered.drive(&mut state).unwrap();
    }
    layered.stream.written
}

/// Reads up to the end.
fn read_all(layered: &mut LayeredStream<Wire, Custom<Flips>>, room: usize) -> Vec<u8> {
    let (mut got, mut buffer) = (Vec::new(), vec![0; room]);
    loop {
        match layered.read(&mut buffer) {
            Ok(Read { bytes: 0, .. }) => return got,
            Ok(Read { bytes, .. }) => got.extend_from_slice(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::ResourceBusy),
        }
    }
}

/// Text that is not the same anywhere.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from(n * n % 251).unwrap()).collect()
}

#[test]
fn e5_a_layer_makes_no_difference_however_its_bytes_are_cut_and_whatever_room_there_is() {
    let text = text(3000);
    let wire = write_all(&text, usize::MAX, usize::MAX);
    assert_eq!(wire.len(), text.len() + 3 * 2 + 2);
    for piece in (1..40).chain([999, 1001, 1002, 1003, 2999, 3000, 5000]) {
        assert_eq!(write_all(&text, piece, usize::MAX), wire, "{piece}");
        let pieces = write_all(&text, usize::MAX, piece);
        let mut layered = flips(Wire { to_read: pieces, piece: 7, ..Wire::default() }, &[]);
        assert_eq!(read_all(&mut layered, 100), text, "{piece}");
        for room in [1, 2, 999, 1000, 1001, 64 * 1024, 128 * 1024] {
            let to_read = wire.clone();
            let mut layered = flips(Wire { to_read, piece, ..Wire::default() }, &[]);
            assert_eq!(read_all(&mut layered, room), text, "{piece}, {room}");
            assert!(!layered.is_truncated());
        }
    }
}

#[test]
fn e5_what_was_unread_before_is_for_the_layer() {
    let text = text(50);
    let wire = write_all(&text, usize::MAX, 20);
    for cut in 0..=wire.len() {
        let (unread, to_read) = wire.split_at(cut);
        let stream = Wire { to_read: to_read.to_vec(), piece: 1000, ..Wire::default() };
        assert_eq!(read_all(&mut flips(stream, unread), 1000), text, "{cut}");
    }
}

#[test]
fn e7_a_stream_that_is_cut_off_anywhere_is_told_from_a_whole_one() {
    let text = text(50);
    let wire = write_all(&text, usize::MAX, 20);
    let mut between_records = 0;
    for cut in 0..wire.len() {
        let to_read = wire[..cut].to_vec();
        let mut layered = flips(Wire { to_read, piece: 1000, ..Wire::default() }, &[]);
        let got = read_all(&mut layered, 1000);
        assert!(text.starts_with(&got), "{cut}");
        assert!(layered.is_truncated(), "{cut}");
        between_records += usize::from(!layered.is_within_record());
    }
    // Before the first one, and behind each of the three with text.
    assert_eq!(between_records, 4);
}
