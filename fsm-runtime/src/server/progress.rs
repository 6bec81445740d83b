//! The progress of the upgrades of a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The progress of the upgrades of a process, which those who take part share with those who look.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(unix), allow(dead_code, reason = "there are no upgrades"))]
pub(crate) struct SharedProgress(Arc<Mutex<UpgradeProgress>>);

/// The step of an upgrade that is under way, and what has become of all so far.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(feature = "console"), allow(dead_code, reason = "the console shows it"))]
pub(crate) struct UpgradeProgress {
    pub(crate) step: UpgradeStep,
    /// How many ended with a new process that serves: this one, or the one after it.
    pub(crate) succeeded: u64,
    /// How many ended with the old process that goes on.
    pub(crate) failed: u64,
    pub(crate) moved_in: u64,
    pub(crate) moved_out: u64,
    /// The connections that did not move, by the reason.
    pub(crate) stayed: BTreeMap<String, u64>,
    /// The outcome of the last one.
    pub(crate) last: Option<String>,
}

/// The step of an upgrade that a process is at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "there are no upgrades"))]
pub(crate) enum UpgradeStep {
    /// A new process can come.
    #[default]
    Waits,
    /// A new process gets listeners and data, and starts.
    Prepares,
    /// All connections stand still.
    StandsStill,
    /// Connections move.
    Moves,
    /// A new process serves in place of this one.
    HandedOver,
}

#[cfg_attr(not(unix), allow(dead_code, reason = "there are no upgrades"))]
impl SharedProgress {
    pub(crate) fn lock(&self) -> MutexGuard<'_, UpgradeProgress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(feature = "console")]
impl UpgradeStep {
    pub(crate) const ALL: [Self; 5] =
        [Self::Waits, Self::Prepares, Self::StandsStill, Self::Moves, Self::HandedOver];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Prepares => "prepares",
            Self::StandsStill => "stands_still",
            Self::Moves => "moves",
            Self::HandedOver => "handed_over",
        }
    }
}
