use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use mio::{Registry, Token};

use super::{DatagramSession, DatagramSocket, SessionAddresses, fits};
use crate::Peer;
use crate::net::transport::{ByteStream, FileSent, PeerAddr, Read, Source};
use crate::net::{file_copy, token};

/// The session of a peer: each read returns one datagram, and output leaves as one.
#[derive(Debug)]
pub struct DatagramPeer {
    socket: Arc<DatagramSocket>,
    ends: SessionAddresses,
    /// The first datagram until it is read; output after that.
    buffer: Vec<u8>,
    /// The first datagram is not read yet.
    is_new: bool,
    /// The peer has no session any more, or another one.
    has_left: bool,
}

impl DatagramPeer {
    /// Begins the session of a peer with its first datagram.
    pub(crate) fn begin(
        socket: &Arc<DatagramSocket>,
        ends: SessionAddresses,
        first: &[u8],
    ) -> Self {
        socket.sessions().by_ends.insert(ends, DatagramSession::default());
        Self::with_first(socket, ends, first.to_vec())
    }

    /// Begins another session of a peer with the datagrams that the one before has left; `None` if there are
    /// none.
    pub(crate) fn resume(socket: &Arc<DatagramSocket>, ends: SessionAddresses) -> Option<Self> {
        socket.next(&ends).map(|first| Self::with_first(socket, ends, first))
    }

    fn with_first(socket: &Arc<DatagramSocket>, ends: SessionAddresses, first: Vec<u8>) -> Self {
        let (socket, buffer) = (Arc::clone(socket), first);
        Self { socket, ends, buffer, is_new: true, has_left: false }
    }

    pub(crate) fn address(&self) -> Peer {
        Peer::Udp(self.ends.peer)
    }
}

impl ByteStream for DatagramPeer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        if !std::mem::take(&mut self.is_new) {
            self.buffer = self.socket.next(&self.ends).ok_or(io::ErrorKind::WouldBlock)?;
        }
        let bytes = self.buffer.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.buffer[..bytes]);
        self.buffer.clear();
        Ok(Read { bytes, drained: !self.socket.has_more(&self.ends) })
    }

    /// Output leaves with the end of the datagram.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        for slice in slices {
            self.buffer.extend_from_slice(slice);
        }
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    /// A file that fits in no datagram is not read.
    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        fits(self.buffer.len(), most)?;
        file_copy::copy(self, file, at, most)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_datagram(&mut self) -> io::Result<()> {
        if !self.is_new && !self.buffer.is_empty() {
            let datagram = std::mem::take(&mut self.buffer);
            self.socket.send(&self.ends, &datagram);
        }
        Ok(())
    }

    fn leave(&mut self) -> bool {
        let mut sessions = self.socket.sessions();
        let more = sessions.by_ends.get(&self.ends).is_some_and(|it| !it.queue.is_empty());
        if !more {
            sessions.remove(&self.ends);
            self.has_left = true;
        }
        !more
    }

    fn renew(&mut self) {
        let mut sessions = self.socket.sessions();
        if let Some(session) = sessions.by_ends.get_mut(&self.ends) {
            session.key = None;
            sessions.orphans.push(self.ends);
            self.has_left = true;
        }
    }

    /// Drops what is no whole answer.
    fn abort(&mut self) {
        if !self.is_new {
            self.buffer.clear();
        }
    }
}

/// The session is what its socket finds it by, and no poll knows it.
impl Source for DatagramPeer {
    fn register(&mut self, _: &Registry, token: Token) -> io::Result<()> {
        if let Some(session) = self.socket.sessions().by_ends.get_mut(&self.ends) {
            session.key = Some(token::to_key(token));
        }
        Ok(())
    }
}

impl PeerAddr for DatagramPeer {
    fn peer(&self) -> io::Result<Peer> {
        Ok(self.address())
    }
}

impl Drop for DatagramPeer {
    fn drop(&mut self) {
        if !self.has_left {
            let lost = self.socket.sessions().remove(&self.ends) + usize::from(self.is_new);
            self.socket.counters.datagrams_dropped(lost);
        }
    }
}
