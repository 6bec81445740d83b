use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::call::job_sink::JobSink;
use crate::call::semaphore::Semaphore;
use crate::scheduler::observe::Observe;
use crate::stats::Counters;
use crate::{Ended, Service, Stats};

/// What the threads of a pool share with each other and with its handles.
#[derive(Debug)]
pub(crate) struct PoolState {
    phase: AtomicU8,
    ports: OnceLock<Box<[Weak<dyn Observe>]>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) semaphore: Arc<Semaphore>,
    /// Where threads give it jobs, while it runs: a `Weak<dyn JobSink<M>>`.
    counter: OnceLock<Box<dyn Any + Send + Sync>>,
    /// How many ports may still accept connections.
    accepting: AtomicUsize,
    /// Accepting pauses at the limit of connections, until there are `resume` or fewer.
    full: AtomicBool,
    resume: AtomicUsize,
    /// Some listener waits for a free descriptor.
    out_of_descriptors: AtomicBool,
    /// The pools that this one hands over to and that hand over to it, itself among them, where there
    /// are such: they drain together, and close when nothing is left in any.
    cycle: OnceLock<Box<[Weak<PoolState>]>>,
}

/// What a pool is told to do; a later one overrules an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Run,
    Drain,
    Close,
}

impl PoolState {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            phase: AtomicU8::new(Phase::Run as u8),
            ports: OnceLock::new(),
            counters: Arc::default(),
            semaphore: Arc::new(Semaphore::new(limit)),
            counter: OnceLock::new(),
            accepting: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            resume: AtomicUsize::new(limit),
            out_of_descriptors: AtomicBool::new(false),
            cycle: OnceLock::new(),
        }
    }

    /// These pools lead to each other.
    pub(crate) fn join(cycle: &[Arc<Self>]) {
        let sum = Arc::<AtomicUsize>::default();
        for pool_state in cycle {
            pool_state.semaphore.join(Arc::clone(&sum));
            // A pool starts once.
            let _ = pool_state.cycle.set(cycle.iter().map(Arc::downgrade).collect());
        }
    }

    /// The pool is about to start, with these ports, of which so many accept connections.
    pub(crate) fn attach(self: &Arc<Self>, ports: Box<[Weak<dyn Observe>]>, accepting: usize) {
        self.accepting.store(accepting, Ordering::SeqCst);
        let pool_state = Arc::downgrade(self);
        self.semaphore.on_release(Box::new(move || {
            if let Some(pool_state) = pool_state.upgrade() {
                pool_state.has_room();
            }
        }));
        // A pool starts once, so there are none yet.
        let _ = self.ports.set(ports);
        if self.phase() == Phase::Close {
            self.close();
        }
    }

    /// Opens the counter where threads give it jobs.
    pub(crate) fn take_jobs<S: Service>(&self, jobs: &Arc<dyn JobSink<S>>) {
        // A pool starts once.
        let _ = self.counter.set(Box::new(Arc::downgrade(jobs)));
    }

    /// The counter where threads give it jobs, if it is open: not before the start, and not when the
    /// pool drains.
    pub(crate) fn jobs<S: Service>(&self) -> Option<Arc<dyn JobSink<S>>> {
        let jobs = self.counter.get()?.downcast_ref::<Weak<dyn JobSink<S>>>()?;
        jobs.upgrade().filter(|_| self.phase() == Phase::Run)
    }

    /// Bounds the connections or jobs; accepting goes on when there are `resume` or fewer.
    pub(crate) fn set_limit(&self, limit: usize, resume: usize) {
        self.semaphore.set_limit(limit);
        self.resume.store(resume, Ordering::SeqCst);
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Run,
            1 => Phase::Drain,
            _ => Phase::Close,
        }
    }

    pub(crate) fn give(&self, phase: Phase) {
        match phase {
            Phase::Close => self.close(),
            Phase::Run | Phase::Drain => {
                for pool_state in self.cycle() {
                    pool_state.phase.fetch_max(phase as u8, Ordering::SeqCst);
                    pool_state.interrupt();
                }
                self.phase.fetch_max(phase as u8, Ordering::SeqCst);
                self.interrupt();
            }
        }
    }

    fn cycle(&self) -> impl Iterator<Item = Arc<Self>> {
        self.cycle.get().into_iter().flatten().filter_map(Weak::upgrade)
    }

    fn close(&self) {
        self.phase.fetch_max(Phase::Close as u8, Ordering::SeqCst);
        // The ports first: whoever learns that there is no room any more may rely on it that nothing
        // begins any more.
        for port in self.ports() {
            port.close();
        }
        self.semaphore.close();
    }

    /// Makes the threads that poll look for what has changed.
    fn interrupt(&self) {
        for port in self.ports() {
            port.interrupt();
        }
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = Arc<dyn Observe>> {
        self.ports.get().into_iter().flatten().filter_map(Weak::upgrade)
    }

    /// A connection or job is gone, without any more ado.
    pub(crate) fn ended(&self, why: Ended) {
        self.counters.ended(why);
        self.freed();
    }

    /// What a connection or job had is free: there is room for another one.
    #[inline]
    pub(crate) fn freed(&self) {
        if self.semaphore.release() {
            self.has_room();
        }
        if self.out_of_descriptors.load(Ordering::SeqCst)
            && self.out_of_descriptors.swap(false, Ordering::SeqCst)
        {
            self.interrupt();
        }
    }

    /// A credit came back, and nobody has it.
    #[inline]
    fn has_room(&self) {
        if self.resumes() {
            self.interrupt();
        }
        self.close_if_drained();
    }

    /// A port has taken all that the system had accepted for it, and takes no more.
    pub(crate) fn accepted_all(&self) {
        self.accepting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Ends the pool if it drains and nothing is left, in it or in a pool that may hand back to it.
    #[inline]
    pub(crate) fn close_if_drained(&self) {
        if self.phase() != Phase::Drain || !self.has_stopped() || self.semaphore.out_of_all() > 0 {
            return;
        }
        if self.cycle().all(|pool_state| pool_state.has_stopped()) {
            self.cycle().for_each(|pool_state| pool_state.close());
            self.close();
        }
    }

    /// Whether it drains and accepts nobody any more.
    fn has_stopped(&self) -> bool {
        self.phase() >= Phase::Drain && self.accepting.load(Ordering::SeqCst) == 0
    }

    /// Whether accepting pauses.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// The limit of connections is reached. Says whether that is news.
    pub(crate) fn reason(&self) -> bool {
        let news = !self.full.swap(true, Ordering::SeqCst);
        // Those that would make it go on may all have ended meanwhile.
        if self.resumes() {
            self.interrupt();
            return false;
        }
        news
    }

    /// Goes on accepting if there is room again.
    fn resumes(&self) -> bool {
        self.is_full()
            && self.semaphore.out() <= self.resume.load(Ordering::SeqCst)
            && self.full.swap(false, Ordering::SeqCst)
    }

    /// No descriptor is free.
    pub(crate) fn set_out_of_descriptors(&self) {
        self.out_of_descriptors.store(true, Ordering::SeqCst);
    }

    /// Whether none was closed since.
    pub(crate) fn is_out_of_descriptors(&self) -> bool {
        self.out_of_descriptors.load(Ordering::SeqCst)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot(self.semaphore.accounting())
    }
}
