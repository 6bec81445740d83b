//! What waits within a layer goes on although no event tells of it, whatever has removed the reason.

use super::super::codec::Unread;
use super::*;
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::send_buffer::SendBuffer;

/// A stream that has only what the test gives it, and blocks otherwise.
#[derive(Default)]
struct Script {
    to_read: Vec<u8>,
    room: usize,
    shut: bool,
}

impl ByteStream for Script {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        if self.to_read.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let bytes = self.to_read.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.to_read[..bytes]);
        self.to_read.drain(..bytes);
        Ok(Read { bytes, drained: true })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        if taken == 0 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write(&slices[0])
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.shut = true;
        Ok(())
    }

    fn abort(&mut self) {}
}

/// The output for each `r` that comes in.
const REPLY: usize = 64 * 1024;

/// Plaintext is sent as it is. `!` ends the handshake, each `r` is answered by the codec itself, and other bytes are
/// plaintext.
struct Replies {
    handshakes: bool,
}

impl Codec for Replies {
    const FAILURE: Ended = Ended::LayerFailed;

    fn is_handshaking(&self) -> bool {
        self.handshakes
    }

    fn has_closed(&self) -> bool {
        false
    }

    fn can_decode(&self, wire: &[u8]) -> bool {
        !wire.is_empty()
    }

    fn decode(&mut self, wire: &mut [u8], mut into: Sinks<'_>) -> io::Result<DecodedBytes> {
        let mut plain = 0;
        for byte in &*wire {
            match byte {
                b'!' => self.handshakes = false,
                b'r' => into.outgoing.extend(vec![0; REPLY]),
                _ => plain += into.put(plain, &[*byte]),
            }
        }
        Ok(DecodedBytes { used: wire.len(), plain })
    }

    fn encode(&mut self, plain: &[u8], _: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<usize> {
        outgoing.extend_from_slice(plain);
        Ok(plain.len())
    }

    fn close(&mut self, _: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<()> {
        outgoing.push(0);
        Ok(())
    }

    fn end(&self) -> LayerEnd {
        LayerEnd::Whole
    }
}

/// A connection whose poll reports each event once, as kqueue does: readable and writable are events of their own.
struct Connection {
    stream: LayeredStream<Script, Replies>,
    state: StreamState,
}

impl Connection {
    fn new(handshakes: bool) -> Self {
        let mut stream = LayeredStream::plain(Script::default());
        stream.begin(Replies { handshakes }, Vec::new(), &UnsentOutput::default()).unwrap();
        Self { stream, state: StreamState::NEW }
    }

    /// Bytes come in.
    fn comes(&mut self, bytes: &[u8]) {
        self.stream.stream.to_read.extend_from_slice(bytes);
        self.state.add(Readiness::READ);
    }

    fn read(&mut self) -> Received {
        let io = &mut ReadyIo { socket: &mut self.stream, state: &mut self.state };
        io.read(&mut [0; 100]).unwrap()
    }

    fn flush(&mut self, output: &mut SendBuffer) -> usize {
        ReadyIo { socket: &mut self.stream, state: &mut self.state }.flush(output).unwrap()
    }

    /// Begins the turn that the connection has without an event.
    fn goes_on(&mut self) {
        assert!(self.stream.goes_on(self.state), "it has another turn");
        self.stream.drive(&mut self.state).unwrap();
        assert!(!self.stream.goes_on(self.state), "one is enough");
    }
}

#[test]
fn e14_a_read_that_waits_for_output_to_leave_goes_on_when_a_write_has_sent_it() {
    let mut connection = Connection::new(false);
    connection.comes(b"rrr");
    assert_eq!(connection.read(), Received::Nothing);
    connection.comes(b"text");
    assert_eq!(connection.read(), Received::Nothing);
    assert!(!connection.state.is_readable());
    assert!(!connection.stream.goes_on(connection.state), "there is no room");
    // The room is found by a write, and `drive` finds nothing to send any more.
    connection.stream.stream.room = usize::MAX;
    let mut output = SendBuffer::default();
    output.write(b"answer");
    assert_eq!(connection.flush(&mut output), 6);
    connection.goes_on();
    assert_eq!(connection.read(), Received::Bytes(4));
    assert!(connection.state.is_readable(), "the event may also have told of the end");
}

#[test]
fn e14_a_stream_whose_end_waits_for_output_ends_when_a_read_has_sent_it() {
    let mut connection = Connection::new(false);
    connection.comes(b"r");
    assert_eq!(connection.read(), Received::Nothing);
    connection.stream.shutdown().unwrap();
    assert!(!connection.stream.stream.shut && !connection.stream.goes_on(connection.state));
    connection.stream.stream.room = usize::MAX;
    connection.comes(b"r");
    assert_eq!(connection.read(), Received::Nothing);
    connection.goes_on();
    assert!(connection.stream.stream.shut);
}

#[test]
fn e14_output_that_waits_for_the_handshake_leaves_when_a_read_has_ended_it() {
    let mut connection = Connection::new(true);
    connection.stream.stream.room = usize::MAX;
    let mut output = SendBuffer::default();
    output.write(b"greeting");
    assert_eq!(connection.flush(&mut output), 0);
    connection.comes(b"!text");
    assert_eq!(connection.read(), Received::Bytes(4));
    assert_eq!(connection.flush(&mut output), 0, "no event has reported room");
    connection.goes_on();
    assert_eq!(connection.flush(&mut output), 8);
}
