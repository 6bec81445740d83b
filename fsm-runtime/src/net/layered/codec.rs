use std::any::Any;
use std::io;

use crate::layer::LayerEnd;
use crate::net::transport::BeginTls;
use crate::{Ended, TlsSession};

/// The most plaintext that a codec is offered at a time: that of a TLS record.
pub(crate) const RECORD: usize = 16 * 1024;

/// A translation between plaintext and the bytes of a stream, without the stream: TLS, or a layer of the
/// application's.
///
/// A codec has no buffers: the caller keeps the bytes that it has not used and those that are not sent. After an error it
/// is not called again.
pub trait Codec: Send + Sized + 'static {
    /// The end of a connection whose codec has failed.
    const FAILURE: Ended;

    /// Begins in a `#[tls]` state.
    fn begin(_: &BeginTls<'_>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether it has to read before it takes plaintext.
    fn is_handshaking(&self) -> bool;

    /// Whether the peer has ended its stream in the codec's own way.
    fn has_closed(&self) -> bool;

    /// Whether these bytes, which were read before, are worth a call without more of them.
    fn can_decode(&self, wire: &[u8]) -> bool;

    /// Processes what was read until `plain` is full or more of it is needed. Output of its own is
    /// appended to `outgoing`, also before an error.
    fn decode(&mut self, wire: &mut [u8], into: Sinks<'_>) -> io::Result<DecodedBytes>;

    /// Appends the bytes of `plain`, at most [`RECORD`], to `outgoing`. Returns how many it has taken from the front:
    /// all of them, or what fits what it appends at a time; none while the handshake goes on.
    fn encode(
        &mut self,
        plain: &[u8],
        unread: Unread<'_>,
        outgoing: &mut Vec<u8>,
    ) -> io::Result<usize>;

    /// Appends the end of our stream.
    fn close(&mut self, unread: Unread<'_>, outgoing: &mut Vec<u8>) -> io::Result<()>;

    /// The meaning of an end of the stream below at this point.
    fn end(&self) -> LayerEnd;

    /// The facts of a TLS session.
    fn tls(&self) -> Option<TlsSession<'_>> {
        None
    }

    /// The application's own layer.
    fn layer(&self) -> Option<&dyn Any> {
        None
    }
}

/// The result of [`Codec::decode`].
#[derive(Clone, Copy, Debug, Default)]
pub struct DecodedBytes {
    /// The bytes that were used up, from the front.
    pub(crate) used: usize,
    /// The plaintext that was written.
    pub(crate) plain: usize,
}

/// The buffers of [`Codec::decode`].
#[derive(Debug)]
pub struct Sinks<'a> {
    pub(crate) plain: &'a mut [u8],
    /// The plaintext for which `plain` has no room.
    pub(crate) rest: &'a mut Vec<u8>,
    /// The bytes that the codec itself has for the peer.
    pub(crate) outgoing: &'a mut Vec<u8>,
}

/// The bytes that a connection has received and not used.
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS reads while it writes"))]
#[derive(Debug)]
pub struct Unread<'a> {
    /// Bytes that were not processed.
    pub(crate) incoming: &'a mut Vec<u8>,
    /// Plaintext.
    pub(crate) rest: &'a mut Vec<u8>,
}

impl Sinks<'_> {
    /// Adds plaintext behind the first `at` bytes of `plain`. Returns how many bytes went there.
    pub(crate) fn put(&mut self, at: usize, payload: &[u8]) -> usize {
        let (fits, rest) = payload.split_at(payload.len().min(self.plain.len() - at));
        self.plain[at..at + fits.len()].copy_from_slice(fits);
        self.rest.extend_from_slice(rest);
        fits.len()
    }
}
