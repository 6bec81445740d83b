//! Who is told of events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use fsm_runtime::prelude::*;

use crate::api::Event;
use crate::events::Events;

/// Those who are told of events: any thread can tell them.
#[derive(Default)]
pub(crate) struct Feed {
    pool: OnceLock<Handle<Events>>,
    seats: Mutex<HashMap<Key, Arc<AtomicU64>>>,
}

/// The place of one who is told of events; dropping it leaves the feed.
pub(crate) struct Seat {
    feed: Arc<Feed>,
    key: Key,
    missed: Arc<AtomicU64>,
}

impl Feed {
    /// The pool whose connections are told.
    pub(crate) fn attach(&self, pool: Handle<Events>) {
        // It is built once.
        let _ = self.pool.set(pool);
    }

    pub(crate) fn sit(self: &Arc<Self>, key: Key) -> Seat {
        let missed = Arc::<AtomicU64>::default();
        self.seats().insert(key, Arc::clone(&missed));
        Seat { feed: Arc::clone(self), key, missed }
    }

    /// Tells everybody. Who has too much waiting already misses it, and learns how much it missed.
    pub(crate) fn tell(&self, event: &Event) {
        let Some(pool) = self.pool.get() else { return };
        let seats: Vec<_> =
            self.seats().iter().map(|(key, missed)| (*key, Arc::clone(missed))).collect();
        if seats.is_empty() {
            return;
        }
        let text: Arc<str> = event.message().into();
        for (key, missed) in seats {
            if let Err(TrySendError::Full(_)) = pool.post(key, Arc::clone(&text)) {
                missed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Key, Arc<AtomicU64>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// How many events it missed since this was last asked.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.feed.seats().remove(&self.key);
    }
}
