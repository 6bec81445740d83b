use std::io::{self, IoSlice};

use crate::Peer;
use crate::net::memory::MemoryStream;
use crate::net::transport::{ByteStream, PeerAddr, Read, Source};

/// The machine's end of an embedded connection.
pub(super) struct WireEnd {
    pub(super) stream: MemoryStream,
    peer: Peer,
    /// The machine has said all, and waits for the end of the peer's stream.
    lingers: bool,
}

impl WireEnd {
    pub(super) fn new(peer: Peer, window: usize) -> Self {
        Self { stream: MemoryStream::new(window), peer, lingers: false }
    }

    /// Whether nothing but the end of the peer's stream is waited for.
    #[inline]
    pub(super) fn lingers(&self) -> bool {
        self.lingers
    }

    /// Ends the peer's stream, because whoever has the socket waits for the real end.
    pub(super) fn end_lingering(&mut self) {
        self.stream.ended = true;
        self.lingers = false;
    }
}

impl ByteStream for WireEnd {
    #[inline]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        self.stream.read(buffer)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    #[expect(clippy::inline_always, reason = "counted: half of the cost is the call")]
    #[inline(always)]
    fn write_buffer(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        self.stream.write_buffer(buffer)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.stream.write_vectored(slices)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown()
    }

    fn linger(&mut self) {
        self.lingers = true;
    }

    fn abort(&mut self) {
        self.stream.abort();
    }
}

impl Source for WireEnd {}

impl PeerAddr for WireEnd {
    fn peer(&self) -> io::Result<Peer> {
        Ok(self.peer)
    }
}
