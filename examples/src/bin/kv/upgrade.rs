//! What goes to a new process of the server: the store, and what is known of each client.

#[cfg(unix)]
use std::{
    io::{self, Read, Write},
    sync::Arc,
    time::Instant,
};

#[cfg(unix)]
use fsm_runtime::UpgradeData;
use fsm_runtime::{Key, Moves, MovesHandler};

use crate::protocol::Client;
use crate::pubsub;
#[cfg(unix)]
use crate::shared::Server;
use crate::subscriber::Kind;

/// The store on its way. A copy is made while clients change it; when they stand still, what has changed follows.
#[cfg(unix)]
pub(crate) struct Keys(pub(crate) Arc<Server>);

#[cfg(unix)]
impl UpgradeData for Keys {
    fn send(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let mut piece = Vec::new();
        self.0.shared().store.begin_copy();
        loop {
            let more = self.0.shared().store.copy_some(&mut piece);
            to.write_all(&piece)?;
            piece.clear();
            if !more {
                return Ok(());
            }
        }
    }

    fn send_last(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let (since, mut piece) = (Instant::now(), Vec::new());
        self.0.shared().store.copy_last(&mut piece);
        to.write_all(&piece)?;
        tracing::info!(bytes = piece.len(), took = ?since.elapsed(), "sent what has changed meanwhile");
        Ok(())
    }

    fn cancel(&mut self) {
        self.0.shared().store.end_copy();
    }

    fn receive(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let shared = &mut self.0.shared();
        let since = Instant::now();
        shared.store.receive(from)?;
        tracing::info!(keys = shared.store.len(), took = ?since.elapsed(), "took a copy of the keys over");
        Ok(())
    }

    fn receive_last(&mut self, from: &mut dyn Read) -> io::Result<()> {
        self.0.shared().store.receive(from)
    }
}

/// A client moves between two commands, with its name and its subscriptions. One that is in a transaction or
/// waits for an element stays, and its connection ends.
impl MovesHandler for Client {
    fn pack(&self, into: &mut Vec<u8>) {
        let session = &self.session;
        let moves = session.transaction.is_none() && !session.is_blocked;
        moves.pack(into);
        session.resp3.pack(into);
        self.server.shared().store.clients.entry(session.place).pack(into);
        for kind in [Kind::Channel, Kind::Pattern] {
            let names = session.subscriber.iter().flat_map(|one| one.names(kind));
            names.map(|name| name.to_vec()).collect::<Vec<_>>().pack(into);
        }
    }

    fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        if !bool::unpack(from)? {
            return None;
        }
        self.session.resp3 = bool::unpack(from)?;
        let mut shared = self.server.shared();
        let store = &mut shared.store;
        store.clients.entry(self.session.place).unpack(from)?;
        // It is no new one.
        store.stats.connections -= 1;
        for kind in [Kind::Channel, Kind::Pattern] {
            for name in Vec::<Vec<u8>>::unpack(from)? {
                pubsub::hear_again(store, &mut self.session, kind, &name);
            }
        }
        Some(())
    }

    fn moved(&mut self, key: Key) {
        let mut shared = self.server.shared();
        let store = &mut shared.store;
        store.clients.entry(self.session.place).key = Some(key);
        store.channels.change_key(self.session.place, self.session.subscriber.as_deref(), key);
    }
}
