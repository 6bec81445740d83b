//! The handshake of a stream, and what a `#[tls]` state learns of it.

use std::io;

use super::LayeredStream;
use super::between::{Between, MOST_UNSENT, READS, Scratch};
use super::codec::Codec;
use crate::layer::ROOM;
use crate::net::readiness::Readiness;
use crate::net::send_buffer::UnsentOutput;
use crate::net::stream_state::StreamState;
use crate::net::tls_progress::Securing;
use crate::net::transport::{BeginTls, ByteStream};

impl<S, C: Codec> LayeredStream<S, C> {
    /// Begins TLS for a `#[tls]` state, which learns of a failure.
    pub(super) fn begin_for_state(&mut self, begin: &BeginTls<'_>) {
        let &BeginTls { unread, ended, .. } = begin;
        let result = C::begin(begin)
            .and_then(|codec| self.begin(codec, unread.to_vec(), &UnsentOutput::default()));
        let between = self.between.get_or_insert_default();
        between.awaited.set(true);
        match result {
            Err(error) => between.fail(error),
            Ok(()) if ended => between.fail(cut_off()),
            Ok(()) => {}
        }
    }
}

impl<C: Codec> Between<C> {
    /// Ends a handshake that a `#[tls]` state waits for.
    fn fail(&mut self, error: io::Error) {
        self.codec = None;
        let held = self.held();
        held.incoming = Vec::new();
        held.rest = Vec::new();
        held.failure.replace(Some(error));
    }

    pub(super) fn secured(&self) -> Securing<'_> {
        if let Some(error) = self.held.as_ref().and_then(|held| held.failure.take()) {
            self.awaited.set(false);
            return Securing::Failed(error);
        }
        if !self.awaited.get() {
            return Securing::has_begun_before();
        }
        let over = self.codec.as_ref().filter(|codec| !codec.is_handshaking());
        match over.and_then(Codec::tls) {
            Some(session) => {
                self.awaited.set(false);
                Securing::Secured(session)
            }
            None => Securing::Waiting,
        }
    }

    /// Sends what the codec itself has to tell, and goes on with its handshake.
    pub(super) fn drive(
        &mut self,
        stream: &mut impl ByteStream,
        state: &mut StreamState,
    ) -> io::Result<()> {
        if self.unsent() > 0 && state.is_writable() {
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
            if !self.reads_on(*state) {
                break;
            }
            match Scratch::with(|scratch| self.read_handshake(stream, scratch)) {
                Ok(()) if self.ended.is_some() => {
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

    /// Whether the handshake reads on although the machine may not. Plaintext that comes before its end is kept up to
    /// a bound, beyond which the machine has to read.
    pub(super) fn reads_on(&self, state: StreamState) -> bool {
        let rest = self.held.as_ref().map_or(0, |held| held.rest.len());
        self.is_handshaking() && state.is_readable() && rest < ROOM
    }

    /// Reads once for the handshake. Plaintext that comes with its end, or before, is kept.
    fn read_handshake(
        &mut self,
        stream: &mut impl ByteStream,
        scratch: &mut Scratch,
    ) -> io::Result<()> {
        if self.unsent() > MOST_UNSENT {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let before = self.held.as_mut().map(|held| std::mem::take(&mut held.rest));
        let mut before = before.unwrap_or_default();
        let mut first = [0; 1];
        let read = self.read_records(stream, &mut first, scratch);
        let bytes = read.as_ref().map_or(0, |(bytes, _)| *bytes);
        before.extend_from_slice(&first[..bytes]);
        if !before.is_empty() {
            self.held().rest.splice(0..0, before);
        }
        read.map(drop)
    }
}

/// The failure of a handshake in which the peer has ended its stream.
fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the peer ended its stream in the handshake")
}
