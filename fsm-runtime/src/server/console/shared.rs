use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::counter::Counter;
use super::guard::Guard;
use crate::server::observer::Observer;
use crate::server::progress::{SharedProgress, UpgradeProgress};
use crate::{Filter, Snapshot};

/// How long an answer waits for ports that are in a handler.
pub(super) const WITHIN: Duration = Duration::from_millis(100);
/// How long a snapshot is good for other clients, too.
const FRESH: Duration = Duration::from_millis(200);

/// The data that all connections of a console share.
pub(super) struct ConsoleShared {
    pub(super) observer: Observer,
    pub(super) guard: Guard,
    /// Those of the program.
    pub(super) counters: Vec<Counter>,
    /// Of the upgrades of the process, if it is upgradable.
    pub(super) upgrades: Option<SharedProgress>,
    /// The last snapshot without connections, and its time.
    last: Mutex<Option<CachedSnapshot>>,
}

#[derive(Clone)]
struct CachedSnapshot {
    at: Instant,
    snapshot: Arc<Snapshot>,
}

impl ConsoleShared {
    pub(super) fn new(
        observer: Observer,
        token: Option<String>,
        hosts: Vec<String>,
        counters: Vec<Counter>,
        upgrades: Option<SharedProgress>,
    ) -> Self {
        let guard = Guard::new(token, hosts);
        Self { observer, guard, counters, upgrades, last: Mutex::default() }
    }

    /// The progress of upgrades of the process, if it is upgradable.
    pub(super) fn upgrade(&self) -> Option<UpgradeProgress> {
        self.upgrades.as_ref().map(|progress| progress.lock().clone())
    }

    /// The pools with the counts of their states and no connections. Clients that ask at about the same time
    /// get the same.
    pub(super) fn counts(&self) -> Arc<Snapshot> {
        // Those who wait for the lock get the snapshot that is being taken.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(CachedSnapshot { at, snapshot }) = &*last {
            if at.elapsed() < FRESH {
                return Arc::clone(snapshot);
            }
        }
        let snapshot = Arc::new(self.observer.snapshot_of(&Filter::new().limit(0), WITHIN));
        *last = Some(CachedSnapshot { at: Instant::now(), snapshot: Arc::clone(&snapshot) });
        snapshot
    }
}
