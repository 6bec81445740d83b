use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::TimeOrigin;
use crate::call::service::PoolEntry;
use crate::clock::{ManualTime, TimeSource, WallTime};
use crate::driver::worker::{Driver, Worker, WorkerSettings};
use crate::lifecycle::facts::PoolFacts;
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::scheduler::observe::Untracked;
use crate::scheduler::port::{EventSource, Next, Port, PortEvent, PortSettings, WhenIdle};
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::task::{Task, WorkerContext};
use crate::{Key, PoolError};

/// The name of the pool of a simulated port.
const POOL: &str = "session";

/// A port whose threads are all simulated on the thread of the test. The test sets the events of its
/// poll.
///
/// The workers are those that serve sockets; only the poll and the time come from the test.
pub(super) struct SimPort<T: Task> {
    port: Arc<Port<T>>,
    workers: Vec<Worker<T, SimDriver, ManualTime>>,
    driver: Arc<Mutex<SimDriver>>,
    time: ManualTime,
    pub(super) pool_state: Arc<PoolState>,
}

impl<T: Task> SimPort<T> {
    /// A port for this number of threads, of which `max_running` run at a time.
    pub(super) fn new(origin: &TimeOrigin, threads: usize, max_running: usize) -> Self {
        let TimeOrigin { time, generations } = origin.clone();
        let pool_state = Arc::new(PoolState::new(PoolFacts::new(POOL, T::SPEC), 1));
        let driver = Arc::<Mutex<SimDriver>>::default();
        let interrupted = Arc::clone(&lock(&driver).interrupted);
        let port = Arc::new(Port::new(PortSettings {
            number: 0,
            threads,
            max_running,
            counters: Arc::clone(&pool_state.counters),
            generations,
            interrupt: Box::new(move || interrupted.store(true, Ordering::Relaxed)),
        }));
        Self { port, workers: Vec::new(), driver, time, pool_state }
    }

    /// Adds the next of its threads, with the entries to the pools that the machine calls; `scratch`
    /// makes the state that the turns of the thread share.
    pub(super) fn add_thread(
        &mut self,
        routes: Arc<[PoolEntry]>,
        scratch: impl FnOnce(Arc<PoolState>, WorkerContext) -> T::Scratch,
    ) {
        let Self { port, workers, driver, time, pool_state } = self;
        let thread = workers.len();
        let mut context = WorkerContext::new(
            Arc::new(Untracked),
            thread,
            port.status(thread),
            routes,
            time.now(),
        );
        context.keeps_panic = true;
        #[cfg(feature = "transitions")]
        {
            context.edges = pool_state.edges.local(false);
        }
        context.wall = WallTime::manual(time.clone());
        workers.push(Worker::new(WorkerSettings {
            name: POOL.to_owned(),
            port: Arc::clone(port),
            driver: Arc::clone(driver),
            thread,
            scratch: scratch(Arc::clone(pool_state), context),
            time: time.clone(),
            pool_state: Arc::clone(pool_state),
            journeys: None,
        }));
    }

    /// Adds a connection or job. It has its first turn in the next round.
    pub(super) fn open(&mut self, task: T) -> Key {
        self.pool_state.counters.accepted();
        if let Ok(permit) = self.pool_state.permits.try_acquire() {
            permit.forget();
        }
        let Ok(key) = self.port.open_here(task, Readiness::NONE) else {
            unreachable!("it is not closed")
        };
        key
    }

    pub(super) fn port(&self) -> &Port<T> {
        &self.port
    }

    /// The state that the turns of the first thread share.
    pub(super) fn scratch(&self) -> &T::Scratch {
        &self.workers[0].scratch
    }

    /// Takes the last panic of a handler on the first thread.
    pub(super) fn take_panic(&mut self) -> Option<Box<dyn Any + Send>> {
        T::context(&mut self.workers[0].scratch).panic.take()
    }

    /// Adds an event to the next poll.
    pub(super) fn add_event(&mut self, key: Key, readiness: Readiness) {
        lock(&self.driver).events.push(PortEvent { key, readiness });
    }

    /// Does one round of a thread.
    pub(super) fn round(&mut self, thread: ThreadIndex) {
        if let Err(error) = self.workers[thread].round() {
            unreachable!("a simulated poll does not fail: {error}")
        }
    }

    /// Whether the thread has something to do, and would not sleep. This is false for a parked thread:
    /// its next round asks for work.
    pub(super) fn is_awake(&self, thread: ThreadIndex) -> bool {
        match self.next(thread) {
            None | Some(Next::Run(_)) => true,
            Some(Next::Poll { until }) => {
                *until <= self.time.millis() || lock(&self.driver).returns_at_once()
            }
            Some(Next::Parked | Next::End) => false,
        }
    }

    /// The action of the thread's next round; `None` before its first round.
    pub(super) fn next(&self, thread: ThreadIndex) -> Option<&Next<T>> {
        self.workers[thread].next()
    }
}

fn lock(driver: &Mutex<SimDriver>) -> MutexGuard<'_, SimDriver> {
    driver.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A poll that finds the events that the test has given it, and does not sleep.
#[derive(Default)]
struct SimDriver {
    events: Vec<PortEvent>,
    /// The port has interrupted the poll, because it has work for the thread that polls.
    interrupted: Arc<AtomicBool>,
}

impl SimDriver {
    /// Whether a poll would not sleep, whatever its timeout.
    fn returns_at_once(&self) -> bool {
        !self.events.is_empty() || self.interrupted.load(Ordering::Relaxed)
    }
}

impl Driver for SimDriver {
    const WHEN_IDLE: WhenIdle = WhenIdle::Return;

    fn before_poll(&mut self, _: u64, _: &impl TimeSource) -> Option<Duration> {
        Some(Duration::ZERO)
    }

    fn poll(&mut self, _: Option<Duration>) -> Result<(), PoolError> {
        self.interrupted.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn after_poll(&mut self, _: u64) {}
}

impl EventSource for SimDriver {
    fn events(&mut self, mut visit: impl FnMut(Key, Readiness)) {
        for PortEvent { key, readiness } in self.events.drain(..) {
            visit(key, readiness);
        }
    }
}
