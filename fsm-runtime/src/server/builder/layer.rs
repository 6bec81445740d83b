use super::Builder;
use crate::layer::{Layer, LayerSide};
use crate::server::layer::{LayerSettings, Layered};
use crate::{Connection, Machine, Plain};

impl<M: Machine<Kind = Connection>> Builder<M, Plain> {
    /// Puts a layer of the application's between the connections of the pool and their sockets: see [`Layer`].
    ///
    /// `make` returns the layer of a connection that the pool accepts, takes over or opens. It is called where the
    /// connection is accepted, and so should be quick; a panic of it ends that connection alone.
    /// Handlers read and write plaintext alone, and see the layer with [`Cx::layer`](crate::Cx::layer).
    ///
    /// Bytes that another pool has read and not used when it hands a connection over are for the layer, and output
    /// that it has written leaves before the layer's first byte. A connection that has a layer goes on with it in a
    /// pool whose layers are of the same type; a hand-off to another pool is refused at the start.
    ///
    /// Bounds and times are those of plain connections: they count plaintext. The layer has bounds of its
    /// own. The other socket of a machine with a `#[connect]` state has no layer.
    ///
    /// A pool has one layer, or TLS. Its machine has no `#[tls]` state, and reads no datagrams: otherwise it does not
    /// start ([`PoolError::Layer`](crate::PoolError::Layer), [`PoolError::Datagrams`](crate::PoolError::Datagrams)).
    pub fn layer<L: Layer>(
        self,
        make: impl Fn(LayerSide<'_>) -> L + Send + Sync + 'static,
    ) -> Builder<M, Layered<L>> {
        self.over(LayerSettings::new(make))
    }
}
