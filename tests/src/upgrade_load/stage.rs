use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

const STARTS: u8 = 0;
const QUIET: u8 = 1;
const UPGRADES: u8 = 2;
const OVER: u8 = 3;

/// The action on the server meanwhile.
#[derive(Debug, Default)]
pub(super) struct Stage(AtomicU8);

/// The times of answers, apart by stage.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    pub(super) quiet: Vec<Duration>,
    pub(super) upgrades: Vec<Duration>,
}

impl Stage {
    pub(super) fn quiet(&self) {
        self.0.store(QUIET, Ordering::Relaxed);
    }

    pub(super) fn upgrades(&self) {
        self.0.store(UPGRADES, Ordering::Relaxed);
    }

    pub(super) fn over(&self) {
        self.0.store(OVER, Ordering::Relaxed);
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed) == OVER
    }

    pub(super) fn has_upgrades(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= UPGRADES
    }

    /// Adds the time of an answer that came now.
    pub(super) fn note(&self, time: Duration, times: &mut Times) {
        match self.0.load(Ordering::Relaxed) {
            STARTS => {}
            QUIET => times.quiet.push(time),
            _ => times.upgrades.push(time),
        }
    }
}
