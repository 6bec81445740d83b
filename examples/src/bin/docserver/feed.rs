//! The feed: publishes events to the connections that subscribed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fsm_runtime::prelude::*;

use crate::api::Event;
use crate::events::Events;

/// The subscribers. Any thread can publish to them.
#[derive(Default)]
pub(crate) struct Feed {
    pool: OnceLock<Handle<Events>>,
    subscribers: Mutex<HashMap<Key, Arc<AtomicU64>>>,
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
        let missed = Arc::<AtomicU64>::default();
        self.subscribers().insert(key, Arc::clone(&missed));
        Subscription { feed: Arc::clone(self), key, missed }
    }

    /// Publishes an event to all subscribers. A subscriber with a full mailbox misses it, and its
    /// counter of missed events grows.
    pub(crate) fn publish(&self, event: &Event) {
        let Some(pool) = self.pool.get() else { return };
        let subscribers: Vec<_> =
            self.subscribers().iter().map(|(key, missed)| (*key, Arc::clone(missed))).collect();
        if subscribers.is_empty() {
            return;
        }
        let text: Arc<str> = event.message().into();
        for (key, missed) in subscribers {
            if let Err(TrySendError::Full(_)) = pool.post(key, Arc::clone(&text)) {
                missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn subscribers(&self) -> MutexGuard<'_, HashMap<Key, Arc<AtomicU64>>> {
        self.subscribers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// The number of events missed since the last call.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.subscribers().remove(&self.key);
    }
}
