use std::fs::File;
use std::io::{self, IoSlice};

use mio::{Registry, Token};

use super::TlsSession;
use super::config::TlsRole;
use super::session::{Session, failure};
use crate::Peer;
use crate::net::file_copy;
use crate::net::securing::{Handshake, Securing};
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;
use crate::net::stream_state::StreamState;
use crate::net::transport::{BeginTls, ByteStream, FileSent, PeerAddr, Read, Source};

mod handshake;
mod tls;

pub(crate) use tls::Tls;
use tls::{Outgoing, Scratch};

/// A stream that is plain at first, or for good, and encrypted once TLS has begun.
///
/// A write takes plaintext only when all of its ciphertext has left: until then it says that it would block, and
/// the caller offers the same bytes again. So unsent output is counted, bounded and timed where all output is,
/// in the connection's queue.
#[derive(Debug)]
pub struct Layered<S> {
    stream: S,
    tls: Option<Box<Tls>>,
}

impl<S> Layered<S> {
    pub(crate) fn plain(stream: S) -> Self {
        Self { stream, tls: None }
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_handshaking())
    }

    /// The session, once TLS has begun.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.tls.as_ref()?.session.as_ref()
    }

    /// Begins TLS. What was read and not used is ciphertext of the peer's, and what was written and not sent
    /// leaves as it is, before it (E2).
    pub(crate) fn begin(
        &mut self,
        role: TlsRole<'_>,
        unread: Vec<u8>,
        unsent: &UnsentOutput,
    ) -> io::Result<()> {
        let mut session = role.begin().map_err(failure)?;
        let mut outgoing = Outgoing { bytes: unsent.to_vec()?, ..Outgoing::default() };
        let mut rest = Vec::new();
        // A client speaks first.
        session.decrypt(&mut [], &mut [0], &mut rest, &mut outgoing.bytes).map_err(failure)?;
        self.tls = Some(Box::new(Tls {
            session: Some(session),
            incoming: unread,
            rest,
            outgoing: (!outgoing.bytes.is_empty()).then(|| Box::new(outgoing)),
            ..Tls::default()
        }));
        Ok(())
    }

    /// Goes on with the TLS of a connection that has moved from another pool.
    pub(crate) fn resume(stream: S, tls: Box<Tls>) -> Self {
        Self { stream, tls: Some(tls) }
    }
}

impl<S: ByteStream> ByteStream for Layered<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Read> {
        match &mut self.tls {
            None => self.stream.read(buffer),
            Some(tls) if !tls.rest.is_empty() => Ok(tls.read_rest(buffer)),
            Some(tls) => Scratch::with(|scratch| tls.read(&mut self.stream, buffer, scratch)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.write(bytes),
            Some(_) => self.write_vectored(&[IoSlice::new(bytes)]),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.tls {
            None => self.stream.write_vectored(slices),
            Some(tls) => {
                Scratch::with(|scratch| tls.write(&mut self.stream, slices, &mut scratch.outgoing))
            }
        }
    }

    fn send_file(&mut self, file: &File, at: u64, most: usize) -> io::Result<FileSent> {
        match &mut self.tls {
            None => self.stream.send_file(file, at, most),
            // The bytes of the last write are known, and are not read again.
            Some(tls) => match tls.make_room(&mut self.stream)? {
                Some(written) => Ok(FileSent::some(written)),
                None => file_copy::copy(self, file, at, most),
            },
        }
    }

    fn shutdown(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.close(&mut self.stream);
            if tls.outgoing.is_some() {
                tls.shuts = true;
                return Ok(());
            }
        }
        self.stream.shutdown()
    }

    fn linger(&mut self) {
        self.stream.linger();
    }

    fn abort(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.aborted = true;
        }
        self.stream.abort();
    }

    fn is_layered(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.aborted)
    }

    fn begin_tls(&mut self, begin: BeginTls<'_>) {
        self.begin_for_state(&begin);
    }

    fn handshake(&self) -> Handshake {
        match &self.tls {
            None => Handshake::ToBegin,
            Some(tls) if tls.is_handshaking() => Handshake::GoesOn,
            Some(_) => Handshake::Over,
        }
    }

    fn is_truncated(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.truncated)
    }

    fn has_unsent(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.outgoing.is_some())
    }

    fn is_within_record(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.incoming.is_empty())
    }

    fn drive(&mut self, state: &mut StreamState) -> io::Result<()> {
        match &mut self.tls {
            None => Ok(()),
            Some(tls) => tls.drive(&mut self.stream, state),
        }
    }
}

impl<S: Source> Source for Layered<S> {
    fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.stream.register(registry, token)
    }

    fn detach(self, registry: &Registry) -> Option<Socket> {
        self.stream.detach(registry)
    }

    fn take_tls(&mut self) -> Option<Box<Tls>> {
        self.tls.take()
    }
}

impl<S: PeerAddr> PeerAddr for Layered<S> {
    fn peer(&self) -> io::Result<Peer> {
        self.stream.peer()
    }

    fn tls(&self) -> Option<TlsSession<'_>> {
        self.session().map(TlsSession::of)
    }

    fn secured(&self) -> Securing<'_> {
        self.tls.as_ref().map_or(Securing::Waiting, |tls| tls.secured())
    }

    fn leave_tls(&self) {
        if let Some(tls) = &self.tls {
            tls.awaited.set(false);
        }
    }
}
