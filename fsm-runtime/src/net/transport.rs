use std::io::{self, IoSlice};

use mio::{Registry, Token};

use crate::Peer;
use crate::net::socket::Socket;

/// A connected byte stream that never blocks: a socket, or one end of a pipe in memory.
///
/// All methods take `&self`, so that a handler may ask for the peer's address during a turn.
pub(crate) trait Transport {
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&self, bytes: &[u8]) -> io::Result<usize>;
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Ends the stream to the peer.
    fn shutdown(&self) -> io::Result<()>;
    /// Makes the close that follows a reset, so that the peer does not take what it got for all
    /// there was.
    fn abort(&self);
    fn peer(&self) -> io::Result<Peer>;
    /// Registers with a poll, once and for all; what is no socket needs none.
    fn register(&mut self, _: &Registry, _: Token) -> io::Result<()> {
        Ok(())
    }
    /// The socket without its poll, whose registry this is; `None` if it is no socket.
    fn free(self, _: &Registry) -> Option<Socket>
    where
        Self: Sized,
    {
        None
    }
}
