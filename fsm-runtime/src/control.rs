use std::any::Any;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::credits::Credits;
use crate::jobs::Jobs;
use crate::seats::Seats;
use crate::stats::Counters;
use crate::{Ended, Service, Stats};

/// What the threads of a pool share with each other and with its handles.
#[derive(Debug)]
pub(crate) struct Control {
    order: AtomicU8,
    ports: OnceLock<Box<[Weak<dyn Seats>]>>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) credits: Arc<Credits>,
    /// Where threads give it jobs, while it runs: a `Weak<dyn Jobs<M>>`.
    counter: OnceLock<Box<dyn Any + Send + Sync>>,
    /// How many ports may still accept connections.
    accepting: AtomicUsize,
    /// Accepting pauses at the limit of connections, until there are `resume` or fewer.
    full: AtomicBool,
    resume: AtomicUsize,
    /// Some listener waits for a free descriptor.
    starved: AtomicBool,
    /// The pools that this one hands over to and that hand over to it, itself among them, where there
    /// are such: they drain together, and close when nothing is left in any.
    circle: OnceLock<Box<[Weak<Control>]>>,
}

/// What a pool is told to do; a later one overrules an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Run,
    Drain,
    Close,
}

impl Control {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            order: AtomicU8::new(Order::Run as u8),
            ports: OnceLock::new(),
            counters: Arc::default(),
            credits: Arc::new(Credits::new(limit)),
            counter: OnceLock::new(),
            accepting: AtomicUsize::new(0),
            full: AtomicBool::new(false),
            resume: AtomicUsize::new(limit),
            starved: AtomicBool::new(false),
            circle: OnceLock::new(),
        }
    }

    /// These pools lead to each other.
    pub(crate) fn join(circle: &[Arc<Self>]) {
        let sum = Arc::<AtomicUsize>::default();
        for control in circle {
            control.credits.join(Arc::clone(&sum));
            // A pool starts once.
            let _ = control.circle.set(circle.iter().map(Arc::downgrade).collect());
        }
    }

    /// The pool is about to start, with these ports, of which so many accept connections.
    pub(crate) fn attach(self: &Arc<Self>, ports: Box<[Weak<dyn Seats>]>, accepting: usize) {
        self.accepting.store(accepting, Ordering::SeqCst);
        let control = Arc::downgrade(self);
        self.credits.on_freed(Box::new(move || {
            if let Some(control) = control.upgrade() {
                control.has_room();
            }
        }));
        // A pool starts once, so there are none yet.
        let _ = self.ports.set(ports);
        if self.order() == Order::Close {
            self.close();
        }
    }

    /// Opens the counter where threads give it jobs.
    pub(crate) fn take_jobs<S: Service>(&self, jobs: &Arc<dyn Jobs<S>>) {
        // A pool starts once.
        let _ = self.counter.set(Box::new(Arc::downgrade(jobs)));
    }

    /// The counter where threads give it jobs, if it is open: not before the start, and not when the
    /// pool drains.
    pub(crate) fn jobs<S: Service>(&self) -> Option<Arc<dyn Jobs<S>>> {
        let jobs = self.counter.get()?.downcast_ref::<Weak<dyn Jobs<S>>>()?;
        jobs.upgrade().filter(|_| self.order() == Order::Run)
    }

    /// Bounds the connections or jobs; accepting goes on when there are `resume` or fewer.
    pub(crate) fn set_limit(&self, limit: usize, resume: usize) {
        self.credits.set_limit(limit);
        self.resume.store(resume, Ordering::SeqCst);
    }

    pub(crate) fn order(&self) -> Order {
        match self.order.load(Ordering::SeqCst) {
            0 => Order::Run,
            1 => Order::Drain,
            _ => Order::Close,
        }
    }

    pub(crate) fn give(&self, order: Order) {
        match order {
            Order::Close => self.close(),
            Order::Run | Order::Drain => {
                for control in self.circle() {
                    control.order.fetch_max(order as u8, Ordering::SeqCst);
                    control.interrupt();
                }
                self.order.fetch_max(order as u8, Ordering::SeqCst);
                self.interrupt();
            }
        }
    }

    fn circle(&self) -> impl Iterator<Item = Arc<Self>> {
        self.circle.get().into_iter().flatten().filter_map(Weak::upgrade)
    }

    fn close(&self) {
        self.order.fetch_max(Order::Close as u8, Ordering::SeqCst);
        // The ports first: whoever learns that there is no room any more may rely on it that nothing
        // begins any more.
        for port in self.ports() {
            port.close();
        }
        self.credits.close();
    }

    /// Makes the threads that poll look for what has changed.
    fn interrupt(&self) {
        for port in self.ports() {
            port.interrupt();
        }
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = Arc<dyn Seats>> {
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
        if self.credits.free() {
            self.has_room();
        }
        if self.starved.load(Ordering::SeqCst) && self.starved.swap(false, Ordering::SeqCst) {
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
        if self.order() != Order::Drain || !self.has_stopped() || self.credits.out_of_all() > 0 {
            return;
        }
        if self.circle().all(|control| control.has_stopped()) {
            self.circle().for_each(|control| control.close());
            self.close();
        }
    }

    /// Whether it drains and accepts nobody any more.
    fn has_stopped(&self) -> bool {
        self.order() >= Order::Drain && self.accepting.load(Ordering::SeqCst) == 0
    }

    /// Whether accepting pauses.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// The limit of connections is reached. Says whether that is news.
    pub(crate) fn pause(&self) -> bool {
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
            && self.credits.out() <= self.resume.load(Ordering::SeqCst)
            && self.full.swap(false, Ordering::SeqCst)
    }

    /// No descriptor is free.
    pub(crate) fn starve(&self) {
        self.starved.store(true, Ordering::SeqCst);
    }

    /// Whether none was closed since.
    pub(crate) fn is_starved(&self) -> bool {
        self.starved.load(Ordering::SeqCst)
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.snapshot(self.credits.books())
    }
}
