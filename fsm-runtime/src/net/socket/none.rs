use std::io::{self, IoSlice};

use crate::net::transport::{ByteStream, PeerAddr, Read, Source};
use crate::{Address, Peer};

/// A socket, which nothing makes without the feature `pool`.
#[derive(Debug)]
pub struct Socket(());

impl Socket {
    pub(crate) fn connect(_: &Address) -> io::Result<Self> {
        unsupported()
    }

    #[expect(clippy::unused_self, reason = "a real one has something to ask")]
    pub(crate) fn is_connected(&self) -> io::Result<bool> {
        unsupported()
    }
}

impl ByteStream for Socket {
    fn read(&mut self, _: &mut [u8]) -> io::Result<Read> {
        unsupported()
    }

    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        unsupported()
    }

    fn write_vectored(&mut self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        unsupported()
    }

    fn shutdown(&mut self) -> io::Result<()> {
        unsupported()
    }

    fn abort(&mut self) {}
}

impl Source for Socket {}

impl PeerAddr for Socket {
    fn peer(&self) -> io::Result<Peer> {
        unsupported()
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}
