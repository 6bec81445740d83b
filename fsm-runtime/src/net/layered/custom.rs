//! A layer of the application's as a codec: calls it within the bounds that it was promised, and holds it to them.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::io;

use super::between::MOST_UNSENT;
use super::codec::{Codec, DecodedBytes, Sinks, Unread};
use crate::Ended;
use crate::layer::{Layer, LayerEnd, LayerError, LayerInput, OUTPUT, ROOM};

/// A layer of the application's.
pub struct Custom<L> {
    layer: L,
    /// The bytes of the wire with which it needs more; `usize::MAX` if it can go on without.
    needs_more_than: usize,
    has_closed: bool,
}

impl<L> fmt::Debug for Custom<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("needs_more_than", &self.needs_more_than)
            .finish_non_exhaustive()
    }
}

impl<L: Layer> Custom<L> {
    pub(crate) fn new(layer: L) -> Self {
        Self { layer, needs_more_than: usize::MAX, has_closed: false }
    }

    /// Calls the layer once.
    fn input(
        &mut self,
        wire: &mut [u8],
        plain: &mut [u8],
        reply: &mut Vec<u8>,
    ) -> io::Result<LayerInput> {
        let (before, room) = (reply.len(), plain.len());
        let input = self.layer.input(wire, plain, reply).map_err(failure)?;
        if input.used > wire.len() || input.plain > room {
            return Err(failure("a layer has used or written more than there was".into()));
        }
        check_output(before, reply)?;
        self.has_closed = input.ended;
        Ok(input)
    }
}

impl<L: Layer> Codec for Custom<L> {
    const FAILURE: Ended = Ended::LayerFailed;

    fn is_handshaking(&self) -> bool {
        self.layer.is_handshaking()
    }

    fn has_closed(&self) -> bool {
        self.has_closed
    }

    fn can_decode(&self, wire: &[u8]) -> bool {
        wire.len() != self.needs_more_than
    }

    fn decode(&mut self, wire: &mut [u8], mut into: Sinks<'_>) -> io::Result<DecodedBytes> {
        let mut done = DecodedBytes::default();
        self.needs_more_than = usize::MAX;
        while into.rest.is_empty() && done.plain < into.plain.len() {
            let unused = &mut wire[done.used..];
            let input = if into.plain.len() - done.plain >= ROOM {
                let input = self.input(unused, &mut into.plain[done.plain..], into.outgoing)?;
                done.plain += input.plain;
                input
            } else {
                SpareBuffer::with(|room| {
                    let input = self.input(unused, room, into.outgoing)?;
                    done.plain += into.put(done.plain, &room[..input.plain]);
                    Ok::<_, io::Error>(input)
                })?
            };
            done.used += input.used;
            if self.has_closed {
                break;
            }
            if input == LayerInput::MORE {
                self.needs_more_than = wire.len() - done.used;
                break;
            }
            if into.outgoing.len() > MOST_UNSENT {
                break;
            }
        }
        if self.has_closed {
            done.used = wire.len();
        }
        Ok(done)
    }

    fn encode(&mut self, plain: &[u8], _: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<usize> {
        let before = outgoing.len();
        let taken = self.layer.output(plain, outgoing).map_err(failure)?;
        check_output(before, outgoing)?;
        match taken {
            0 => Err(failure("a layer has taken no output although its handshake is over".into())),
            taken if taken > plain.len() => {
                Err(failure("a layer has taken more output than there was".into()))
            }
            taken => Ok(taken),
        }
    }

    fn close(&mut self, _: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<()> {
        let before = outgoing.len();
        self.layer.close(outgoing).map_err(failure)?;
        check_output(before, outgoing)
    }

    fn end(&self) -> LayerEnd {
        self.layer.end()
    }

    fn layer(&self) -> Option<&dyn Any> {
        Some(&self.layer)
    }
}

/// Checks what a call has appended behind the first `before` bytes.
fn check_output(before: usize, wire: &mut Vec<u8>) -> io::Result<()> {
    if wire.len().checked_sub(before).is_some_and(|appended| appended <= OUTPUT) {
        return Ok(());
    }
    wire.truncate(before);
    Err(failure("a layer has appended more to the wire than it may, or removed from it".into()))
}

fn failure(error: LayerError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Room for the plaintext of a call, where the connection's own buffer has too little.
struct SpareBuffer;

thread_local! {
    static PLAIN: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl SpareBuffer {
    fn with<T>(run: impl FnOnce(&mut [u8]) -> T) -> T {
        let mut plain = PLAIN.take();
        plain.resize(ROOM, 0);
        let result = run(&mut plain);
        PLAIN.set(plain);
        result
    }
}
