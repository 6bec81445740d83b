use std::sync::{Arc, OnceLock};

use crate::clock::MonotonicTime;
use crate::key::Generations;
use crate::net::lookup::Lookups;
use crate::scheduler::journeys::JourneysUnderWay;

/// The time, the generations of keys, the lookups of names and the journeys that all pools of the process share.
///
/// They count the time from the same start, so that times of one pool are valid in another, and no two
/// of them make the same key, so that a key of one pool matches nothing in another one.
pub(crate) struct Process {
    pub(crate) time: MonotonicTime,
    pub(crate) generations: Arc<Generations>,
    pub(crate) lookups: Lookups,
    pub(crate) journeys: Arc<JourneysUnderWay>,
}

impl Process {
    pub(crate) fn shared() -> &'static Self {
        static PROCESS: OnceLock<Process> = OnceLock::new();
        PROCESS.get_or_init(|| Self {
            time: MonotonicTime::starting_now(),
            generations: Arc::default(),
            lookups: Lookups::default(),
            journeys: Arc::default(),
        })
    }
}
