use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

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
    /// The name that the system has for each thread, where there is one.
    ids: Mutex<Vec<Option<Arc<str>>>>,
    pub(super) statuses: Box<[Arc<ThreadStatus>]>,
    /// The threads that have not ended.
    left: AtomicUsize,
    watchdog: OnceLock<Arc<Alarm>>,
}

impl Common {
    pub(super) fn new(number: usize, threads: usize, counters: Arc<Counters>) -> Self {
        Self {
            number,
            load: AtomicUsize::new(0),
            counters,
            ids: Mutex::new(vec![None; threads]),
            statuses: (0..threads).map(|_| Arc::default()).collect(),
            left: AtomicUsize::new(threads),
            watchdog: OnceLock::new(),
        }
    }

    pub(super) fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Counts a connection or job that is there from now on.
    pub(super) fn opened(&self) {
        self.load.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one that is gone.
    pub(super) fn closed(&self) {
        self.load.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn ids(&self) -> MutexGuard<'_, Vec<Option<Arc<str>>>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread ends; says whether it is the last one.
    pub(super) fn thread_ended(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) == 1
    }

    pub(super) fn status(&self, thread: ThreadIndex) -> Arc<ThreadStatus> {
        Arc::clone(&self.statuses[thread])
    }

    pub(super) fn set_alarm(&self, watchdog: &Arc<Alarm>) {
        // A pool starts once.
        let _ = self.watchdog.set(Arc::clone(watchdog));
    }

    /// Calls the watchdog if work waits though there are threads for it.
    #[inline]
    pub(super) fn alarm_if(&self, could_help: bool) {
        if let (true, Some(watchdog)) = (could_help, self.watchdog.get()) {
            watchdog.work_waits();
        }
    }

    /// A turn begins: the watchdog must not sleep.
    #[inline]
    pub(super) fn turn_begins(&self) {
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.turn_begins();
        }
    }
}
