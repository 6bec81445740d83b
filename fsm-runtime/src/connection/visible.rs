//! The part of a connection that snapshots see.

use crate::connection::ConnectionTask;
use crate::machine::visible::Visible;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::{Drive, Peer};

impl<M: Drive<H>, H: 'static, S: ByteStream + Source + PeerAddr> Visible<M>
    for ConnectionTask<M, H, S>
{
    type Handler = H;

    fn handler(&self) -> Option<&H> {
        self.handler.as_ref()
    }

    fn machine(&self) -> &M {
        &self.machine
    }

    fn deadlines(&self) -> &M::Deadlines {
        &self.deadlines
    }

    fn peer(&self) -> Option<Peer> {
        let incoming = self.pending.as_ref().and_then(|pending| pending.incoming);
        incoming.map(|new| new.peer).or_else(|| self.socket.peer().ok())
    }

    fn unread(&self) -> usize {
        Self::unread(self)
    }

    fn unsent(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.output.len())
    }

    #[cfg(all(feature = "pool", unix))]
    fn is_still(&self) -> bool {
        let joins = self.pending.as_ref().is_some_and(|pending| pending.incoming.is_some());
        !joins && self.can_stand_still()
    }
}
