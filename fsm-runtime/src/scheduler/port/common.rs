use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use crate::scheduler::alarm::Alarm;
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::thread_status::ThreadStatus;
use crate::stats::Counters;

/// The part of a port outside its lock, which both schedulers have.
pub(super) struct Common {
    pub(super) number: usize,
    /// The number of connections or jobs, by which the least loaded port is found.
    load: AtomicUsize,
    pub(super) counters: Arc<Counters>,
    /// The system's name of each thread, on systems that have one.
    ids: Mutex<Vec<Option<Arc<str>>>>,
    pub(super) statuses: Box<[Arc<ThreadStatus>]>,
    /// The number of threads that have not ended.
    remaining_threads: AtomicUsize,
    watchdog: OnceLock<Arc<Alarm>>,
    /// For each thread the turn that was seen last.
    seen: Mutex<Vec<Option<SeenStart>>>,
}

/// A turn that the watchdog or a snapshot has seen.
#[derive(Clone, Copy)]
struct SeenStart {
    number: u64,
    first: Instant,
}

impl Common {
    pub(super) fn new(number: usize, threads: usize, counters: Arc<Counters>) -> Self {
        Self {
            number,
            load: AtomicUsize::new(0),
            counters,
            ids: Mutex::new(vec![None; threads]),
            statuses: (0..threads).map(|_| Arc::default()).collect(),
            remaining_threads: AtomicUsize::new(threads),
            watchdog: OnceLock::new(),
            seen: Mutex::new(vec![None; threads]),
        }
    }

    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Counts a new connection or job.
    pub(super) fn opened(&self) {
        self.load.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the end of a connection or job.
    pub(super) fn closed(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn ids(&self) -> MutexGuard<'_, Vec<Option<Arc<str>>>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a thread ends. Returns whether it is the last one.
    pub(super) fn thread_ended(&self) -> bool {
        self.remaining_threads.fetch_sub(1, Ordering::SeqCst) == 1
    }

    pub(super) fn status(&self, thread: ThreadIndex) -> Arc<ThreadStatus> {
        Arc::clone(&self.statuses[thread])
    }

    pub(super) fn set_alarm(&self, watchdog: &Arc<Alarm>) {
        // A pool starts once.
        let _ = self.watchdog.set(Arc::clone(watchdog));
    }

    /// Whether all threads have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.remaining_threads.load(Ordering::SeqCst) == 0
    }

    /// Notes that the thread ran this turn at `now`. Returns when the turn was seen first.
    pub(super) fn seen(&self, thread: ThreadIndex, number: u64, now: Instant) -> Instant {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = seen.get_mut(thread) else { return now };
        let before = entry.filter(|turn| turn.number == number);
        entry.insert(before.unwrap_or(SeenStart { number, first: now })).first
    }

    /// Wakes the watchdog if work waits that an idle thread could do.
    #[inline]
    pub(super) fn alarm_if(&self, could_help: bool) {
        if let (true, Some(watchdog)) = (could_help, self.watchdog.get()) {
            watchdog.work_waits();
        }
    }

    /// Wakes the watchdog if it sleeps, because a turn begins.
    #[inline]
    pub(super) fn turn_begins(&self) {
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.turn_begins();
        }
    }
}
