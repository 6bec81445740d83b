//! The feed: publishes events to the connections that subscribed.
//!
//! During a live upgrade two processes have subscribers, and both file documents. Then each event goes through a
//! [`Journal`], from which each process publishes the events of both.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fsm_runtime::prelude::*;

use crate::api::Event;
use crate::events::Events;
use crate::journal::Journal;

/// The subscribers. Any thread can publish to them.
#[derive(Default)]
pub(crate) struct Feed {
    pool: OnceLock<Handle<Events>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    subscribers: HashMap<Key, Hearer>,
    /// There while two processes use the directory, and for a moment after that.
    journal: Option<Journal>,
    /// The journal could not be read the last time.
    is_unread: bool,
}

/// The state that the feed keeps of a subscriber.
struct Hearer {
    missed: Arc<AtomicU64>,
    /// The number of the last event of the journal that it was told of or has missed.
    heard: i64,
}

/// A subscription to the feed; dropping it unsubscribes.
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    key: Key,
    missed: Arc<AtomicU64>,
}

impl Feed {
    /// Sets the pool whose connections subscribe.
    pub(crate) fn attach(&self, pool: Handle<Events>) {
        // The only call to `attach` is at start.
        let _ = self.pool.set(pool);
    }

    pub(crate) fn subscribe(self: &Arc<Self>, key: Key) -> Subscription {
        let mut state = self.state();
        let heard = self.publish_new(&mut state);
        self.enter(state, key, Hearer { missed: Arc::default(), heard })
    }

    fn enter(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        key: Key,
        hearer: Hearer,
    ) -> Subscription {
        let missed = Arc::clone(&hearer.missed);
        state.subscribers.insert(key, hearer);
        Subscription { feed: Arc::clone(self), key, missed }
    }

    /// Publishes an event to all subscribers. A subscriber with a full mailbox misses it, and its
    /// counter of missed events grows.
    pub(crate) fn publish(&self, event: &Event) {
        let state = &mut *self.state();
        if let Some(journal) = &state.journal {
            match journal.add(&event.message()) {
                Ok(()) => {
                    self.publish_new(state);
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the subscribers of the other process miss an event");
                }
            }
        }
        if !state.subscribers.is_empty() {
            let text = event.message().into();
            state.subscribers.iter_mut().for_each(|(key, hearer)| {
                self.post(*key, hearer, &text);
            });
        }
    }

    /// Posts an event to a subscriber. Returns whether it was told of it or has missed it, and has not gone.
    fn post(&self, key: Key, hearer: &Hearer, text: &Arc<str>) -> bool {
        let Some(pool) = self.pool.get() else { return false };
        match pool.post(key, Arc::clone(text)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                hearer.missed.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Gone(_)) => false,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The side of the feed that a live upgrade uses.
#[cfg_attr(not(unix), allow(dead_code, reason = "there is no live upgrade"))]
impl Feed {
    /// Publishes through a journal from now on. Events that were published before have reached the mailboxes of
    /// their subscribers.
    pub(crate) fn share<E>(&self, journal: impl FnOnce() -> Result<Journal, E>) -> Result<(), E> {
        let mut state = self.state();
        if state.journal.is_none() {
            let journal = journal()?;
            let heard = journal.published();
            state.subscribers.values_mut().for_each(|hearer| hearer.heard = heard);
            state.journal = Some(journal);
        }
        Ok(())
    }

    /// Publishes without a journal again, because no other process uses it.
    pub(crate) fn end_sharing(&self, root: &Path) {
        let mut state = self.state();
        self.publish_new(&mut state);
        if let Some(journal) = state.journal.take() {
            journal.end(root);
        }
    }

    /// Publishes the events of the other process.
    pub(crate) fn publish_others(&self) {
        self.publish_new(&mut self.state());
    }

    /// Publishes what is new in the journal. Returns the number of the last event.
    fn publish_new(&self, state: &mut State) -> i64 {
        let State { subscribers, journal, is_unread } = state;
        let Some(journal) = journal else { return 0 };
        let new = journal.take_new();
        // Said once, and not at each look.
        if let (Err(error), false) = (&new, *is_unread) {
            tracing::error!(%error, "cannot read the events of the other process");
        }
        *is_unread = new.is_err();
        for (number, text) in new.unwrap_or_default() {
            let text = text.into();
            for (key, hearer) in &mut *subscribers {
                if self.post(*key, hearer, &text) {
                    hearer.heard = number;
                }
            }
        }
        journal.published()
    }

    /// Subscribes again a connection that has another key now, and tells it of the events that it has not heard.
    pub(crate) fn resume(self: &Arc<Self>, key: Key, heard: i64, missed: u64) -> Subscription {
        let mut state = self.state();
        self.publish_new(&mut state);
        let mut hearer = Hearer { missed: Arc::new(missed.into()), heard };
        let unheard = state.journal.as_ref().map(|journal| journal.published_after(heard));
        let unheard = unheard.unwrap_or(Ok(Vec::new())).unwrap_or_else(|error| {
            tracing::error!(%error, "a subscriber misses events of the time of the upgrade");
            Vec::new()
        });
        for (number, text) in unheard {
            if self.post(key, &hearer, &text.into()) {
                hearer.heard = number;
            }
        }
        self.enter(state, key, hearer)
    }
}

impl Subscription {
    /// The number of events missed since the last call.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }

    /// The arguments of [`Feed::resume`]: the number of the last event that the subscriber was told of, and how
    /// many it has missed since the last call of [`missed`](Subscription::missed).
    pub(crate) fn position(&self) -> (i64, u64) {
        let state = self.feed.state();
        let heard = state.subscribers.get(&self.key).map_or(0, |hearer| hearer.heard);
        (heard, self.missed.load(Ordering::Relaxed))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.state().subscribers.remove(&self.key);
    }
}
