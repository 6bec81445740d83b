//! The TLS handshakes that a test plays for the peer.

use std::cell::{Cell, RefCell};
use std::io;

use super::Session;
use crate::net::readiness::Readiness;
use crate::net::tls_progress::{Handshake, Securing};
use crate::{Connection, Drive, Machine, TlsSession};

/// The TLS of a simulated connection. Nothing is encrypted.
#[derive(Debug, Default)]
pub(super) struct SimulatedTls {
    stage: Cell<Stage>,
    /// A `#[tls]` state waits for the end of the handshake.
    awaited: Cell<bool>,
    /// The failure that this state has to learn.
    failure: RefCell<Option<io::Error>>,
    /// The name of the server that the state has said.
    server_name: RefCell<Option<String>>,
    /// The error with which the test ends the handshake.
    ends_with: Cell<Option<io::ErrorKind>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Plain,
    Handshake,
    Secured,
    Failed,
}

impl SimulatedTls {
    pub(super) fn begin(&self, name: Option<String>) {
        self.server_name.replace(name);
        self.stage.set(Stage::Handshake);
        self.awaited.set(true);
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.stage.get() == Stage::Handshake
    }

    pub(super) fn handshake(&self) -> Handshake {
        match self.stage.get() {
            Stage::Plain => Handshake::ToBegin,
            Stage::Handshake => Handshake::GoesOn,
            Stage::Secured | Stage::Failed => Handshake::Over,
        }
    }

    pub(super) fn session(&self) -> Option<TlsSession<'_>> {
        (self.stage.get() == Stage::Secured).then(TlsSession::simulated)
    }

    /// Goes on with the handshake. It fails if the test says so, or if the client sends plaintext or ends its
    /// stream.
    pub(super) fn drive(&self, sends: bool, ended: bool) -> io::Result<()> {
        let plaintext = || io::Error::new(io::ErrorKind::InvalidData, "it is no TLS");
        let error = match self.ends_with.take() {
            _ if !self.is_handshaking() => return Ok(()),
            Some(kind) => kind.into(),
            None if sends => plaintext(),
            None if ended => io::ErrorKind::UnexpectedEof.into(),
            None => return Ok(()),
        };
        self.fail(error)
    }

    /// Fails the handshake, and the connection if no state waits for the handshake.
    fn fail(&self, error: io::Error) -> io::Result<()> {
        self.stage.set(Stage::Failed);
        if !self.awaited.get() {
            return Err(error);
        }
        self.failure.replace(Some(error));
        Ok(())
    }

    /// Fails while nothing can be read and written.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.stage.get() {
            Stage::Plain | Stage::Secured => Ok(()),
            Stage::Handshake => Err(io::ErrorKind::WouldBlock.into()),
            Stage::Failed => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(super) fn secured(&self) -> Securing<'_> {
        if let Some(error) = self.failure.take() {
            self.awaited.set(false);
            return Securing::Failed(error);
        }
        match self.stage.get() {
            Stage::Plain => Securing::Waiting,
            _ if !self.awaited.get() => Securing::has_begun_before(),
            Stage::Secured => {
                self.awaited.set(false);
                Securing::Secured(TlsSession::simulated())
            }
            Stage::Handshake | Stage::Failed => Securing::Waiting,
        }
    }

    pub(super) fn leave(&self) {
        self.awaited.set(false);
    }
}

impl<M: Drive<H> + Machine<Kind = Connection>, H> Session<M, H> {
    /// Whether a TLS handshake goes on, which the machine has begun in a `#[tls]` state. It waits for
    /// [`secured`](Self::secured) or [`fail_tls`](Self::fail_tls). Only with the feature `tls`.
    pub fn is_handshaking(&self) -> bool {
        self.pipe.tls.is_handshaking()
    }

    /// The name of the server that the `#[tls(name = ..)]` state has begun TLS with; `None` before, and if the state names
    /// none. Only with the feature `tls`.
    pub fn server_name(&self) -> Option<String> {
        self.pipe.tls.server_name.borrow().clone()
    }

    /// Lets the handshake succeed that the machine has begun in a `#[tls]` state. Its handler gets a session of
    /// which nothing is known: no name, no protocol, no certificates. Only with the feature `tls`.
    ///
    /// Nothing is encrypted: what is sent and received from now on is plaintext. Bytes that the client has sent
    /// before make the handshake fail, as plaintext does.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// #[state_machine(start = Plain, eof => Gone, limit => Gone, within = 10s => Gone)]
    /// enum Upgrade {
    ///     #[read(until = b"\n", max = 80)]
    ///     #[to(Secure)]
    ///     Plain,
    ///     #[tls(error => Gone)]
    ///     #[to(Line)]
    ///     Secure,
    ///     #[read(until = b"\n", max = 80)]
    ///     #[to(Line)]
    ///     Line,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl upgrade::Handler for Client {
    ///     fn plain(&mut self, _: &[u8], cx: &mut Cx<'_>) -> upgrade::AfterPlain {
    ///         cx.write(b"go ahead\n");
    ///         upgrade::AfterPlain::Secure
    ///     }
    ///
    ///     fn secure(&mut self, _: TlsSession<'_>, _: &mut Cx<'_>) -> upgrade::AfterSecure {
    ///         upgrade::AfterSecure::Line
    ///     }
    ///
    ///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> upgrade::AfterLine {
    ///         cx.write(line);
    ///         upgrade::AfterLine::Line
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Upgrade, _>::new(Client);
    /// peer.send(b"STARTTLS\n");
    /// assert_eq!(peer.receive(), b"go ahead\n");
    /// assert!(peer.is_handshaking());
    /// peer.secured();
    /// peer.send(b"hello\n");
    /// assert_eq!(peer.receive(), b"hello");
    ///
    /// // Commands that come before the handshake are no part of it.
    /// let mut attacker = Session::<Upgrade, _>::new(Client);
    /// attacker.send(b"STARTTLS\nhello\n");
    /// assert_eq!(attacker.receive(), b"go ahead\n");
    /// assert_eq!(attacker.ended(), Some(Ended::Done));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When no handshake goes on.
    pub fn secured(&mut self) {
        assert!(self.is_handshaking(), "the machine is in no TLS handshake");
        self.decide_handshake(Ok(()));
        self.run(Readiness::READ | Readiness::WRITE);
    }

    /// Lets the handshake fail that the machine has begun, with an error of this kind. Only with the feature
    /// `tls`.
    ///
    /// # Panics
    ///
    /// When no handshake goes on.
    pub fn fail_tls(&mut self, kind: io::ErrorKind) {
        assert!(self.is_handshaking(), "the machine is in no TLS handshake");
        self.decide_handshake(Err(kind));
        self.run(Readiness::READ);
    }

    /// Ends the handshake without giving the machine a turn.
    pub(crate) fn decide_handshake(&self, end: Result<(), io::ErrorKind>) {
        match end {
            Ok(()) => self.pipe.tls.stage.set(Stage::Secured),
            Err(kind) => self.pipe.tls.ends_with.set(Some(kind)),
        }
    }
}
