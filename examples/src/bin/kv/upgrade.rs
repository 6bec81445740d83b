//! The data for a new process of the server: the store, and the state of each client.

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

/// A client moves between two commands, with its name, its protocol, its subscriptions and its transaction, or while it
/// waits for an element.
impl MovesHandler for Client {
    fn pack(&self, into: &mut Vec<u8>) {
        let session = &self.session;
        let mut shared = self.server.shared();
        let store = &mut shared.store;
        session.resp3.pack(into);
        store.clients.entry(session.place).pack(into);
        for kind in [Kind::Channel, Kind::Pattern] {
            let names = session.subscriber.iter().flat_map(|one| one.names(kind));
            names.map(|name| name.to_vec()).collect::<Vec<_>>().pack(into);
        }
        session.transaction.is_some().pack(into);
        if let Some(transaction) = &session.transaction {
            transaction.pack(store, into);
        }
        session.is_blocked.pack(into);
        store.waits.pack(session.place, into);
    }

    fn unpack(&mut self, from: &mut &[u8]) -> Option<()> {
        let session = &mut self.session;
        session.resp3 = bool::unpack(from)?;
        let mut shared = self.server.shared();
        let store = &mut shared.store;
        store.clients.entry(session.place).unpack(from)?;
        // It is no new one.
        store.stats.connections -= 1;
        for kind in [Kind::Channel, Kind::Pattern] {
            for name in Vec::<Vec<u8>>::unpack(from)? {
                pubsub::hear_again(store, session, kind, &name);
            }
        }
        if bool::unpack(from)? {
            let transaction = session.transaction.insert(Box::default());
            transaction.unpack(store, from)?;
            store.clients.set_queued(session.place, transaction.queued());
        }
        if bool::unpack(from)? {
            session.is_blocked = true;
            store.wait_again(session.place, from)?;
        }
        Some(())
    }

    fn moved(&mut self, key: Key) {
        let mut shared = self.server.shared();
        let (store, place) = (&mut shared.store, self.session.place);
        store.clients.entry(place).key = Some(key);
        store.channels.change_key(place, self.session.subscriber.as_deref(), key);
        store.waits.change_key(place, key);
    }
}
