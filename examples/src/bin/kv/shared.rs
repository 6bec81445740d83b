//! The data that all connections share: the store behind a lock, and the clock.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fsm_examples::Grace;

use crate::store::Store;

/// The log names a possible attack at most this often.
const WARN_AGAIN: Duration = Duration::from_secs(60);

/// The data that the connections share, and the clock that expires keys.
pub(crate) struct Server {
    shared: Mutex<Shared>,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    /// For clients that pipeline, in a drain.
    pub(crate) grace: Grace,
}

/// The data that the lock guards.
pub(crate) struct Shared {
    pub(crate) store: Store,
    /// The time of the last command on the clock of the pool, and in milliseconds since the Unix epoch.
    time: Option<(Instant, i64)>,
    /// When the log last named a possible attack.
    warned: Option<Instant>,
}

impl Shared {
    /// Whether the log may name a possible attack again.
    pub(crate) fn may_warn(&mut self, now: Instant) -> bool {
        let may = self.warned.is_none_or(|at| now.duration_since(at) > WARN_AGAIN);
        if may {
            self.warned = Some(now);
        }
        may
    }
}

impl Server {
    /// A server with the clock of the system.
    pub(crate) fn new(store: Store) -> Self {
        Self::with_clock(store, SystemTime::now)
    }

    /// A server with a clock, which may be set back and forward.
    pub(crate) fn with_clock(
        mut store: Store,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        store.started = unix_millis(clock());
        let shared = Shared { store, time: None, warned: None };
        Self { shared: Mutex::new(shared), clock: Box::new(clock), grace: Grace::default() }
    }

    /// Now, in milliseconds since the Unix epoch.
    pub(crate) fn now(&self) -> i64 {
        unix_millis((self.clock)())
    }

    /// The memory in use.
    #[cfg(test)]
    pub(crate) fn used(&self) -> usize {
        self.shared().store.used
    }

    /// The backlog of the first subscriber of a channel.
    #[cfg(test)]
    pub(crate) fn backlog(&self, channel: &[u8]) -> std::sync::Arc<crate::subscriber::Backlog> {
        self.shared().store.channels.backlog(channel)
    }

    /// Whether no client subscribes to anything.
    #[cfg(test)]
    pub(crate) fn hears_nothing(&self) -> bool {
        self.shared().store.channels.is_empty()
    }

    /// Whether no client watches a key.
    #[cfg(test)]
    pub(crate) fn watches_nothing(&self) -> bool {
        self.shared().store.watches.is_empty()
    }

    /// Locks the store.
    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the Unix epoch; negative before it. `now` is the time on the clock of the pool.
    ///
    /// This reads the clock of the system again whenever that of the pool has moved, because the system's
    /// may be set at any time and expiry times follow it.
    pub(crate) fn unix_time(&self, shared: &mut Shared, now: Instant) -> i64 {
        match shared.time {
            Some((read, time)) if read == now => time,
            _ => {
                let time = self.now();
                shared.time = Some((now, time));
                time
            }
        }
    }
}

fn unix_millis(time: SystemTime) -> i64 {
    let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(error) => -millis(error.duration()),
    }
}
