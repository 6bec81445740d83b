use super::Cx;
use crate::{Connection, Securing};

impl<'a, Msg, Settings> Cx<'a, Msg, Settings, Connection> {
    /// The TLS session of the connection: the name that the client has asked for, the protocol that was agreed
    /// on, the certificates of the peer. `None` while the connection is plain. Only with the feature `tls`.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<crate::TlsSession<'_>> {
        self.peer.tls()
    }

    /// The result of the handshake, once it is over. Generated code calls it in a `#[tls]` state.
    #[doc(hidden)]
    pub fn secured(&mut self) -> Securing<'a> {
        self.peer.secured()
    }

    /// Gives up the handshake of a state that is left by a deadline.
    #[doc(hidden)]
    pub fn leave_tls(&mut self) {
        self.peer.leave_tls();
    }
}
