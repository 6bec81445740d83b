//! The handshake of a `#[tls]` state.

use std::io;

use crate::Drive;
use crate::connection::turn::{NextAction, Turn};
use crate::net::readiness::Readiness;
use crate::net::tls_progress::Handshake;
use crate::net::transport::{BeginTls, ByteStream, PeerAddr};

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Begins the handshake unless it has begun, and looks whether it is over. All output has left, and what is
    /// unread is ciphertext (E2).
    pub(super) fn secure(&mut self) -> io::Result<NextAction> {
        if self.stream.io.socket.handshake() == Handshake::ToBegin {
            self.begin_tls()?;
        }
        match self.stream.io.socket.handshake() {
            Handshake::Over => Ok(NextAction::Run),
            Handshake::ToBegin | Handshake::GoesOn => self.unless_broken(),
        }
    }

    fn begin_tls(&mut self) -> io::Result<()> {
        let outgoing = self.environment.outgoing.as_ref();
        let target = outgoing.and_then(|outgoing| outgoing.target_of(self.key));
        let name = self.runner.machine.server_name(&self.environment.settings);
        let (io, recv) = (&mut self.stream.io, &mut self.stream.recv);
        io.socket.begin_tls(BeginTls {
            #[cfg(feature = "tls")]
            settings: self.tls,
            target,
            name,
            unread: recv.bytes(),
            ended: io.state.has_ended(),
        });
        recv.leave(0);
        // The unread bytes may be all that the peer sends for now.
        io.state.add(Readiness::READ);
        io.socket.drive(io.state)
    }
}
