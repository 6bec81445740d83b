//! The times that an operator chooses, which CONFIG SET may change while the server runs.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The longest time that a machine waits for anything.
pub(crate) const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

/// The settings of the pool. Clones share them, so that a command changes those of the pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    timeout: Arc<AtomicU32>,
}

impl Settings {
    /// The seconds after which a client that sends nothing is disconnected; 0 is never.
    pub(crate) fn timeout(&self) -> u32 {
        self.timeout.load(Relaxed)
    }

    /// Sets that time, which holds for a connection from its next command on.
    pub(crate) fn set_timeout(&self, seconds: u32) {
        self.timeout.store(seconds, Relaxed);
    }

    /// That time, for the timer.
    pub(crate) fn idle(&self) -> Duration {
        match self.timeout() {
            0 => LONGEST,
            seconds => Duration::from_secs(seconds.into()),
        }
    }
}
