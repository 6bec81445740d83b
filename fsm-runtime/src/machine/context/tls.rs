use super::Cx;
use crate::{Connection, TlsSession};

impl<Msg, Settings> Cx<'_, Msg, Settings, Connection> {
    /// The TLS session of the connection: the name that the client has asked for, the protocol that was agreed
    /// on, the certificates of the peer. `None` while the connection is plain. Only with the feature `tls`.
    pub fn tls(&self) -> Option<TlsSession<'_>> {
        self.peer.tls().map(TlsSession)
    }
}
