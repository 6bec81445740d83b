use std::fs::File;
use std::io::{self, IoSlice};
use std::sync::Arc;

use mio::{Registry, Token};

use super::{LARGEST, fits};
use crate::Peer;
use crate::net::file_copy;
use crate::net::socket::Socket;
use crate::net::transport::{ByteStream, FileSent, PeerAddr, Read, Source};
use crate::stats::Counters;

/// The most datagrams that one read drops (X4).
const MAX_DROPPED: usize = 64;

/// A socket of datagrams that is connected to a server: the system passes on what the server sends, and drops what
/// comes from others. Each read returns one datagram, and output leaves as one.
#[derive(Debug)]
pub(crate) struct ClientSocket {
    socket: Socket,
    output: Vec<u8>,
    settings: Arc<ClientSettings>,
}

/// The settings of all such sockets of a pool.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    /// The largest datagram that the machine reads.
    pub(crate) max: usize,
    /// The most bytes of a datagram that is sent.
    pub(crate) most: usize,
    pub(crate) counters: Arc<Counters>,
}

impl ClientSocket {
    pub(crate) fn new(socket: Socket, settings: &Arc<ClientSettings>) -> Self {
        Self { socket, output: Vec::new(), settings: Arc::clone(settings) }
    }

    fn send(&mut self) -> io::Result<usize> {
        let (len, most) = (self.output.len(), self.settings.most.min(LARGEST));
        if len > most {
            let why = format!("it has {len} bytes, and {most} are the most");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        self.socket.write(&self.output)
    }
}

impl ByteStream for ClientSocket {
    /// The system does not say whether more waits, and reports no second datagram that came with the first.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        for _ in 0..MAX_DROPPED {
            let Read { bytes, .. } = self.socket.read(buffer)?;
            if (1..=self.settings.max).contains(&bytes) {
                return Ok(Read { bytes, drained: false });
            }
            self.settings.counters.datagrams_dropped(1);
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Output leaves with the end of the datagram.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        for slice in slices {
            self.output.extend_from_slice(slice);
        }
        Ok(slices.iter().map(|slice| slice.len()).sum())
    }

    /// A file that fits in no datagram is not read.
    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        fits(self.output.len(), most)?;
        file_copy::copy(self, file, at, most)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn end_datagram(&mut self) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let sent = self.send();
        self.output.clear();
        let Err(error) = sent else { return Ok(()) };
        if is_gone(&error) {
            return Err(error);
        }
        self.settings.counters.datagram_unsent();
        if error.kind() == io::ErrorKind::InvalidInput {
            crate::log::warn!(peer = ?self.peer().ok(), %error, "a datagram was not sent");
        } else {
            crate::log::debug!(peer = ?self.peer().ok(), %error, "a datagram was not sent");
        }
        Ok(())
    }

    fn drop_datagram(&mut self) {
        self.settings.counters.datagrams_dropped(1);
    }

    /// Drops what is no whole request.
    fn abort(&mut self) {
        self.output.clear();
    }
}

impl Source for ClientSocket {
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.register_datagrams(registry, token)
    }
}

impl PeerAddr for ClientSocket {
    fn peer(&self) -> io::Result<Peer> {
        Ok(match self.socket.peer()? {
            Peer::Tcp(address) => Peer::Udp(address),
            other => other,
        })
    }
}

/// Whether an error says that nobody is there to answer. Other errors are of one datagram.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable
    )
}
