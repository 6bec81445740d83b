//! The handshake of a stream, and what a `#[tls]` state learns of it.

use std::io;

use super::Layered;
use super::tls::{MOST_UNSENT, READS, Scratch, Tls};
use crate::TlsSession;
use crate::net::readiness::Readiness;
use crate::net::securing::Securing;
use crate::net::send_buffer::UnsentOutput;
use crate::net::stream_state::StreamState;
use crate::net::tls::session::{Session, failure};
use crate::net::transport::{BeginTls, ByteStream};

impl<S> Layered<S> {
    /// Begins TLS for a `#[tls]` state, which learns of a failure.
    pub(super) fn begin_for_state(&mut self, begin: &BeginTls<'_>) {
        let &BeginTls { settings, target, unread, ended } = begin;
        let missing = || io::Error::from(io::ErrorKind::Unsupported);
        let role = settings.ok_or_else(missing).and_then(|settings| settings.role(target));
        let result =
            role.and_then(|role| self.begin(role, unread.to_vec(), &UnsentOutput::default()));
        let tls = self.tls.get_or_insert_default();
        tls.awaited.set(true);
        match result {
            Err(error) => tls.fail(error),
            Ok(()) if ended => tls.fail(cut_off()),
            Ok(()) => {}
        }
    }
}

impl Tls {
    pub(super) fn is_handshaking(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_handshaking)
    }

    /// The session, unless it has failed.
    pub(super) fn working(&mut self) -> io::Result<&mut Session> {
        self.session.as_mut().ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "the TLS session has failed before")
        })
    }

    /// The error of a session that has failed, which processes nothing any more.
    pub(super) fn failed(&mut self, error: rustls::Error) -> io::Error {
        self.session = None;
        failure(error)
    }

    /// Ends a handshake that a `#[tls]` state waits for.
    fn fail(&mut self, error: io::Error) {
        self.session = None;
        self.incoming = Vec::new();
        self.rest = Vec::new();
        self.failure.replace(Some(error));
    }

    pub(super) fn secured(&self) -> Securing<'_> {
        if let Some(error) = self.failure.take() {
            self.awaited.set(false);
            return Securing::Failed(error);
        }
        if !self.awaited.get() {
            return Securing::has_begun_before();
        }
        match &self.session {
            Some(session) if !session.is_handshaking() => {
                self.awaited.set(false);
                Securing::Secured(TlsSession::of(session))
            }
            _ => Securing::Waiting,
        }
    }

    /// Sends what the session itself has to tell, and goes on with its handshake.
    pub(super) fn drive(
        &mut self,
        stream: &mut impl ByteStream,
        state: &mut StreamState,
    ) -> io::Result<()> {
        if self.outgoing.is_some() && state.is_writable() {
            if self.flush(stream)? {
                // A read may have waited for this.
                state.add(Readiness::READ);
                if std::mem::take(&mut self.shuts) {
                    stream.shutdown()?;
                }
            } else {
                state.set_write_blocked();
            }
        }
        for _ in 0..READS {
            if !self.is_handshaking() || !state.is_readable() {
                break;
            }
            match Scratch::with(|scratch| self.read_handshake(stream, scratch)) {
                Ok(()) if self.truncated => {
                    state.set_ended();
                    if !self.awaited.get() {
                        return Err(cut_off());
                    }
                    self.fail(cut_off());
                }
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    state.set_read_blocked();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if self.awaited.get() && error.kind() == io::ErrorKind::InvalidData => {
                    self.fail(error);
                }
                Err(error) => return Err(error),
            }
        }
        if self.holds_output && !self.is_handshaking() {
            self.holds_output = false;
            state.add(Readiness::WRITE);
        }
        Ok(())
    }

    /// Reads once for the handshake. Plaintext that comes with its end is kept.
    fn read_handshake(
        &mut self,
        stream: &mut impl ByteStream,
        scratch: &mut Scratch,
    ) -> io::Result<()> {
        if self.unsent() > MOST_UNSENT {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut first = [0; 1];
        let (bytes, _) = self.read_records(stream, &mut first, scratch)?;
        self.rest.splice(0..0, first[..bytes].iter().copied());
        Ok(())
    }
}

/// The failure of a handshake in which the peer has ended its stream.
fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer ended its stream in the TLS handshake")
}
