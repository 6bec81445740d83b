use super::Cx;
use crate::{Connection, Layer};

impl<Msg, Settings> Cx<'_, Msg, Settings, Connection> {
    /// The layer of the application's between the connection and its socket, such as for the identity of the peer that
    /// its handshake has brought. `None` if the connection has none of this type.
    pub fn layer<L: Layer>(&self) -> Option<&L> {
        self.peer.layer()?.downcast_ref()
    }
}
