use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::counter::Counter;
use super::guard::Guard;
use crate::server::observer::Observer;
use crate::{Filter, Snapshot};

/// How long an answer waits for ports that are in a handler.
pub(super) const WITHIN: Duration = Duration::from_millis(100);
/// How long a snapshot is good for other clients, too.
const FRESH: Duration = Duration::from_millis(200);

/// What all connections of a console share.
pub(super) struct Shared {
    pub(super) observer: Observer,
    pub(super) guard: Guard,
    /// Those of the program.
    pub(super) counters: Vec<Counter>,
    /// The last snapshot without connections, and its time.
    last: Mutex<Option<Taken>>,
}

#[derive(Clone)]
struct Taken {
    at: Instant,
    snapshot: Arc<Snapshot>,
}

impl Shared {
    pub(super) fn new(
        observer: Observer,
        token: Option<String>,
        hosts: Vec<String>,
        counters: Vec<Counter>,
    ) -> Self {
        Self { observer, guard: Guard::new(token, hosts), counters, last: Mutex::default() }
    }

    /// The pools with the counts of their states and no connections. Clients that ask at about the same time
    /// get the same.
    pub(super) fn counts(&self) -> Arc<Snapshot> {
        // Those who wait for the lock get the snapshot that is being taken.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Taken { at, snapshot }) = &*last {
            if at.elapsed() < FRESH {
                return Arc::clone(snapshot);
            }
        }
        let snapshot = Arc::new(self.observer.snapshot_of(&Filter::new().limit(0), WITHIN));
        *last = Some(Taken { at: Instant::now(), snapshot: Arc::clone(&snapshot) });
        snapshot
    }
}
