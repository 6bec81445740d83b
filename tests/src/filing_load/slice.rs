//! A slice of time in which a setting is under load.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Documents, FilingLoad};
use crate::Random;

/// The time for which one setting has the machine for itself.
pub(super) struct Slice<'a> {
    pub(super) load: &'a FilingLoad,
    pub(super) documents: &'a Documents,
    pub(super) start: Instant,
    pub(super) time: Duration,
    /// The times at which PUTs are due; without them, one is due whenever a client is free.
    schedule: Option<Vec<Duration>>,
    /// The number of PUTs begun.
    begun: AtomicUsize,
}

impl<'a> Slice<'a> {
    pub(super) fn new(load: &'a FilingLoad, documents: &'a Documents, time: Duration) -> Self {
        let schedule = load.rate.map(|rate| schedule(rate, time));
        Self { load, documents, start: Instant::now(), time, schedule, begun: AtomicUsize::new(0) }
    }

    pub(super) fn has_schedule(&self) -> bool {
        self.schedule.is_some()
    }

    /// The time at which the next PUT is due; `None` at the end of the slice.
    pub(super) fn next(&self) -> Option<Instant> {
        match &self.schedule {
            Some(schedule) => {
                let number = self.begun.fetch_add(1, Ordering::Relaxed);
                Some(self.start + *schedule.get(number)?)
            }
            None => Some(Instant::now()).filter(|&now| now < self.start + self.time),
        }
    }
}

/// The times at which PUTs are due: at random, as those of independent users (a Poisson process),
/// but the same on each call.
fn schedule(rate: f64, time: Duration) -> Vec<Duration> {
    let mut random = Random::new(1);
    let mut due = 0.0;
    let mut all = Vec::new();
    loop {
        due -= random.fraction().ln() / rate;
        if due >= time.as_secs_f64() {
            return all;
        }
        all.push(Duration::from_secs_f64(due));
    }
}
