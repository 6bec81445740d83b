use std::sync::{Arc, OnceLock};

use crate::clock::MonotonicTime;
use crate::net::lookup::Lookups;
use crate::scheduler::journeys::JourneysUnderWay;

/// The time, the lookups of names and the journeys that all pools of the process share.
///
/// They count the time from the same start, so that times of one pool are valid in another.
pub(crate) struct Process {
    pub(crate) time: MonotonicTime,
    pub(crate) lookups: Lookups,
    pub(crate) journeys: Arc<JourneysUnderWay>,
}

impl Process {
    pub(crate) fn shared() -> &'static Self {
        static PROCESS: OnceLock<Process> = OnceLock::new();
        PROCESS.get_or_init(|| Self {
            time: MonotonicTime::starting_now(),
            lookups: Lookups::default(),
            journeys: Arc::default(),
        })
    }
}
