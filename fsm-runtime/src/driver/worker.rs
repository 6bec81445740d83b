use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::TimeSource;
use crate::lifecycle::pool_state::PoolState;
use crate::panics::{caught, drop_panic};
use crate::scheduler::current::CurrentPool;
use crate::scheduler::executor::Executor;
use crate::scheduler::journeys::{JourneyWatch, within};
use crate::scheduler::port::{
    AssignedTurn, EventSource, FinishedTurn, Injected, MultiThread, Next, Port, PortEvent,
    RemainingTask, SingleThread, WhenIdle,
};
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::task::{Task, TurnOutcome, end};
use crate::{Ended, PoolError};

/// The poll of a port, which waits for the events of the port's connections or jobs.
///
/// A worker calls `before_poll`, `poll`, the events and `after_poll`, in this order.
pub(crate) trait Driver: EventSource {
    /// The action of a thread without work.
    const WHEN_IDLE: WhenIdle = WhenIdle::Sleep;

    /// Does the work that must not wait for the end of the poll, such as to begin a drain. Returns how
    /// long the poll may sleep, `None` for ever: until `until` at the latest, which is 0 for a poll that
    /// does not sleep, and the largest number for one without a deadline.
    fn before_poll(&mut self, until: u64, time: &impl TimeSource) -> Option<Duration>;

    /// Sleeps until an event or a wake-up, or until the timeout is over.
    fn poll(&mut self, timeout: Option<Duration>) -> Result<(), PoolError>;

    /// Accepts new connections, after the events.
    fn after_poll(&mut self, now: u64);
}

/// A thread of a port, or one that a test simulates.
pub(crate) struct Worker<T: Task, D, C> {
    name: String,
    port: Arc<Port<T>>,
    driver: Arc<Mutex<D>>,
    thread: ThreadIndex,
    pub(crate) scratch: T::Scratch,
    time: C,
    pool_state: Arc<PoolState>,
    /// The action of the next round of a simulated thread; `None` before its first round.
    next: Option<Next<T>>,
    /// The injections that it took after its poll, if it is the only thread of its port.
    injected: Injected<T>,
    /// The events of its last poll, if its port has several threads.
    events: Vec<PortEvent>,
    /// Looks for journeys, where these are sampled.
    journeys: Option<JourneyWatch>,
}

/// The parts that a worker is made of.
pub(crate) struct WorkerSettings<T: Task, D, C> {
    /// The name of its pool.
    pub(crate) name: String,
    pub(crate) port: Arc<Port<T>>,
    /// The threads of a port share it: one polls at a time.
    pub(crate) driver: Arc<Mutex<D>>,
    /// The number of the thread in its port.
    pub(crate) thread: ThreadIndex,
    pub(crate) scratch: T::Scratch,
    pub(crate) time: C,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) journeys: Option<JourneyWatch>,
}

impl<T: Task, D: Driver, C: TimeSource> Worker<T, D, C> {
    pub(crate) fn new(settings: WorkerSettings<T, D, C>) -> Self {
        let WorkerSettings { name, port, driver, thread, scratch, time, pool_state, journeys } =
            settings;
        let (next, injected, events) = (None, Injected::default(), Vec::new());
        Self {
            name,
            port,
            driver,
            thread,
            scratch,
            time,
            pool_state,
            next,
            injected,
            events,
            journeys,
        }
    }

    /// Runs what is ready, and waits, until the port is closed.
    pub(crate) fn run(mut self) -> Result<(), PoolError> {
        self.port.thread_started(self.thread, thread_id());
        let pool = CurrentPool {
            name: self.name.clone(),
            permits: Arc::clone(&self.pool_state.permits),
            spec: T::SPEC,
            status: Arc::clone(&T::context(&mut self.scratch).status),
        };
        pool.enter();
        // The thread may run a turn before its first poll, and the context may have an old time.
        T::context(&mut self.scratch).set_time(self.time.now());
        let result = self.run_rounds();
        // Connections and jobs that remain are in the middle of their work.
        for RemainingTask { key, mut task } in self.port.thread_ended().into_iter().flatten() {
            task.abort();
            if let Some(journeys) = &self.journeys {
                journeys.given_up(key, &task);
            }
            end(&self.name, key, task, Ended::Closed, &mut self.scratch);
        }
        let Self { name, scratch, .. } = self;
        if caught(|| drop(scratch)).is_none() {
            crate::log::error!(pool = name, "a handler panicked while it was dropped");
        }
        result
    }

    /// Runs rounds until the port is closed, also after a panic.
    fn run_rounds(&mut self) -> Result<(), PoolError> {
        let (port, driver) = (Arc::clone(&self.port), Arc::clone(&self.driver));
        loop {
            let rounds = AssertUnwindSafe(|| match &*port {
                Port::SingleThread(port) => {
                    // The only thread keeps the driver locked.
                    let mut driver = lock(&driver);
                    let mut next = port.sleeps_until();
                    if self.journeys.is_some() {
                        while let Some(until) = next {
                            next = self.watched_round(port, &mut driver, until)?;
                        }
                        return Ok(());
                    }
                    while let Some(until) = next {
                        next = self.only_round(port, &mut driver, until)?;
                    }
                    Ok(())
                }
                Port::MultiThread(port) => {
                    let mut next = port.begin(self.thread, D::WHEN_IDLE);
                    while self.journeys.is_some() && !matches!(next, Next::End) {
                        next = self.watched_shared_round(port, next)?;
                    }
                    while !matches!(next, Next::End) {
                        next = self.shared_round(port, next)?;
                    }
                    Ok(())
                }
            });
            match catch_unwind(rounds) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => {
                    self.pool_state.close();
                    return Err(error);
                }
                Err(panic) => self.panicked(panic),
            }
        }
    }

    /// Does one round of a simulated thread.
    pub(crate) fn round(&mut self) -> Result<(), PoolError> {
        let (port, driver) = (Arc::clone(&self.port), Arc::clone(&self.driver));
        let next = match (&*port, self.next.take()) {
            (_, Some(Next::End)) => Next::End,
            (Port::SingleThread(port), next) => {
                let until = match next {
                    Some(Next::Poll { until }) => Some(until),
                    _ => port.sleeps_until(),
                };
                let next = until.map(|until| self.only_round(port, &mut lock(&driver), until));
                next.transpose()?.flatten().map_or(Next::End, |until| Next::Poll { until })
            }
            (Port::MultiThread(port), None) => port.begin(self.thread, D::WHEN_IDLE),
            (Port::MultiThread(port), Some(next)) => self.shared_round(port, next)?,
        };
        self.next = Some(next);
        Ok(())
    }

    /// The action of the next round of a simulated thread; `None` before its first round.
    pub(crate) fn next(&self) -> Option<&Next<T>> {
        self.next.as_ref()
    }

    /// Does a round of the only thread of a port: polls, and runs all that is ready. Returns the time at
    /// which the next poll must end, and `None` when the port is closed.
    #[inline]
    fn only_round(
        &mut self,
        port: &SingleThread<T>,
        driver: &mut D,
        until: u64,
    ) -> Result<Option<u64>, PoolError> {
        let timeout = driver.before_poll(until, &self.time);
        driver.poll(timeout)?;
        let time = self.time.now();
        T::context(&mut self.scratch).set_time(time);
        port.take_injected(&mut self.injected);
        let Self { name, scratch, time: source, injected, .. } = self;
        let mut executor = Executor { pool: name, scratch, time: source };
        if D::HAS_EVENTS {
            port.run_events(driver, &mut executor);
            port.take_posted(injected);
        }
        driver.after_poll(time.millis);
        port.run_queue(time.millis, injected, &mut executor);
        Ok(port.sleeps_until())
    }

    /// Does what [`only_round`](Worker::only_round) does, and looks at each turn for journeys.
    #[cold]
    fn watched_round(
        &mut self,
        port: &SingleThread<T>,
        driver: &mut D,
        until: u64,
    ) -> Result<Option<u64>, PoolError> {
        let timeout = driver.before_poll(until, &self.time);
        driver.poll(timeout)?;
        let time = self.time.now();
        T::context(&mut self.scratch).set_time(time);
        port.take_injected(&mut self.injected);
        let Self { name, scratch, time: source, injected, journeys, .. } = self;
        let mut executor = Executor { pool: name, scratch, time: source };
        port.queue_events(driver, &mut executor);
        driver.after_poll(time.millis);
        match journeys {
            Some(journeys) => port.run_watched(time.millis, injected, &mut executor, journeys),
            None => port.run_queue(time.millis, injected, &mut executor),
        }
        Ok(port.sleeps_until())
    }

    /// Does what [`shared_round`](Worker::shared_round) does, and looks at each turn for journeys.
    #[cold]
    fn watched_shared_round(
        &mut self,
        port: &MultiThread<T>,
        next: Next<T>,
    ) -> Result<Next<T>, PoolError> {
        let (Next::Run(turn), Some(journeys)) = (&next, &mut self.journeys) else {
            return self.shared_round(port, next);
        };
        let key = turn.key;
        let now = T::context(&mut self.scratch).instant;
        let Some(span) = journeys.before(key, &turn.task, turn.ready, now) else {
            return self.shared_round(port, next);
        };
        let Next::Run(turn) = next else { return Ok(next) };
        let turned = within(Some(&span), || self.run_turn(port, turn));
        let state = T::context(&mut self.scratch).status.state();
        if let Some(journeys) = &self.journeys {
            journeys.after(key, turned.task.as_ref(), state);
        }
        // The thread may sleep now, and the span must not be open for as long.
        drop(span);
        Ok(port.turned(self.thread, D::WHEN_IDLE, turned))
    }

    /// Does the action `next` of one of several threads. Returns its next action.
    #[inline]
    fn shared_round(&mut self, port: &MultiThread<T>, next: Next<T>) -> Result<Next<T>, PoolError> {
        Ok(match next {
            Next::Run(turn) => {
                let turned = self.run_turn(port, turn);
                port.turned(self.thread, D::WHEN_IDLE, turned)
            }
            Next::Poll { until } => {
                let now = self.poll(until)?;
                port.polled(self.thread, D::WHEN_IDLE, now, &self.events)
            }
            Next::Parked => port.resume(self.thread),
            Next::End => Next::End,
        })
    }

    /// Polls, and returns the time after the poll. Unlocks the driver before it returns, because
    /// `polled` may make another thread poll.
    fn poll(&mut self, until: u64) -> Result<u64, PoolError> {
        let Self { driver, scratch, time, events, .. } = self;
        events.clear();
        let mut driver = lock(driver);
        let timeout = driver.before_poll(until, time);
        driver.poll(timeout)?;
        let time = time.now();
        driver.events(|key, readiness| events.push(PortEvent { key, readiness }));
        driver.after_poll(time.millis);
        T::context(scratch).set_time(time);
        Ok(time.millis)
    }

    #[inline]
    fn run_turn(&mut self, port: &MultiThread<T>, turn: AssignedTurn<T>) -> FinishedTurn<T> {
        let AssignedTurn { key, mut task, ready, number, draining } = turn;
        port.turn_begins();
        let context = T::context(&mut self.scratch);
        context.turn = number;
        context.draining = draining;
        let Self { name, scratch, time, .. } = self;
        let mut executor = Executor { pool: name, scratch, time };
        let outcome = executor.run_turn(&mut task, key, ready);
        if let TurnOutcome::Ended(why) = outcome {
            executor.end(key, task, why);
            return FinishedTurn { key, task: None, again: false };
        }
        FinishedTurn { key, task: Some(task), again: outcome == TurnOutcome::Again }
    }

    /// Cleans up after a panic that no caller of user code has caught, which is a bug of the runtime. It
    /// ends at most one connection or job, and the thread goes on.
    #[cold]
    fn panicked(&mut self, panic: Box<dyn Any + Send>) {
        drop_panic(panic);
        crate::log::error!(pool = self.name, "a thread of a pool panicked");
        if self.port.thread_died(self.thread).is_some() {
            self.pool_state.ended(Ended::Panicked);
        }
    }
}

fn lock<D>(driver: &Mutex<D>) -> std::sync::MutexGuard<'_, D> {
    driver.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of this thread in the system's files about processes.
#[cfg(target_os = "linux")]
fn thread_id() -> Option<Arc<str>> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    Some(link.file_name()?.to_str()?.into())
}

#[cfg(not(target_os = "linux"))]
fn thread_id() -> Option<Arc<str>> {
    None
}
