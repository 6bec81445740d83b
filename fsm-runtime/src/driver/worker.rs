use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::port::{EventSource, Injected, Left, Next, Port, Turn};
use crate::scheduler::port_core::Thread;
use crate::scheduler::task::{Task, TurnOutcome, WorkerContext, caught, drop_panic, end, finish};
use crate::{Ended, PoolError};

/// What the thread that polls does: it waits for whatever a port's connections or jobs wait for.
pub(crate) trait Driver: EventSource {
    /// Waits until something happens, but not past `until`, which is in milliseconds since the start:
    /// 0 does not wait, and the largest is never.
    fn wait(&mut self, until: u64, clock: &mut Clock) -> Result<(), PoolError>;

    /// Takes up newcomers, once it has told of its events.
    fn take_up(&mut self, now: u64);
}

/// A thread of a port.
pub(crate) struct Worker<T: Task, W> {
    pub(crate) name: String,
    pub(crate) port: Arc<Port<T>>,
    pub(crate) driver: Arc<Mutex<W>>,
    pub(crate) thread: Thread,
    pub(crate) scratch: T::Scratch,
    pub(crate) clock: Clock,
    pub(crate) pool_state: Arc<PoolState>,
    /// What it has taken of what was left for it, where it is alone.
    pub(crate) injected: Injected<T>,
}

impl<T: Task, W: Driver> Worker<T, W> {
    /// Runs what is ready, and waits, until the port is closed.
    pub(crate) fn run(mut self) -> Result<(), PoolError> {
        self.port.enlist(self.thread, thread_id());
        // It may run before it polls, and the pool may have been made a while ago.
        let (now, instant) = self.clock.read();
        let context = T::context(&mut self.scratch);
        context.now = now;
        context.instant = instant;
        let result = self.serve();
        // What is left when the last thread ends was in the middle of something.
        for (key, mut task) in self.port.leave().into_iter().flatten() {
            task.cut_off();
            end(&self.name, key, task, Ended::Closed, &mut self.scratch);
        }
        let Self { name, scratch, .. } = self;
        if caught(|| drop(scratch)).is_none() {
            tracing::error!(pool = name, "a handler panicked while it was dropped");
        }
        result
    }

    fn serve(&mut self) -> Result<(), PoolError> {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.work())) {
                Ok(Ok(())) => break,
                Ok(Err(error)) => {
                    self.pool_state.close();
                    return Err(error);
                }
                // No code of the user's gets here: it is a bug of ours, and the end of one
                // connection. The thread goes on as a new one would.
                Err(panic) => {
                    drop_panic(panic);
                    tracing::error!(pool = self.name, "a thread of a pool panicked");
                    if self.port.lost(self.thread).is_some() {
                        self.pool_state.ended(Ended::Panicked);
                    }
                }
            }
        }
        Ok(())
    }

    fn work(&mut self) -> Result<(), PoolError> {
        if self.port.is_single_threaded() {
            self.work_single_threaded()
        } else {
            self.work_multi_threaded()
        }
    }

    fn work_single_threaded(&mut self) -> Result<(), PoolError> {
        let Self { name, port, driver, scratch, clock, injected, .. } = self;
        let mut driver = driver.lock().unwrap_or_else(PoisonError::into_inner);
        while let Next::Poll { until } = port.next_single_threaded() {
            driver.wait(until, clock)?;
            let (now, instant) = clock.read();
            let context = T::context(scratch);
            context.now = now;
            context.instant = instant;
            port.take_injected(injected);
            // The watchdog can see now that this thread is up: if it goes to sleep it has looked before.
            port.runs();
            if W::EVER {
                port.serve_events(name, &mut *driver, scratch, |context| tick(clock, context));
            }
            driver.take_up(now);
            port.serve_queue(name, (now, injected), scratch, |context| tick(clock, context));
        }
        Ok(())
    }

    fn work_multi_threaded(&mut self) -> Result<(), PoolError> {
        let mut enqueue = Vec::new();
        let mut next = self.port.begin(self.thread);
        loop {
            next = match next {
                Next::Run(turn) => self.turn(turn),
                Next::Poll { until } => {
                    enqueue.clear();
                    let (now, instant) = {
                        // Only the thread that polls is here. The lock must be free before the port
                        // is told, which may make another thread poll.
                        let mut driver = self.driver.lock().unwrap_or_else(PoisonError::into_inner);
                        driver.wait(until, &mut self.clock)?;
                        let (now, instant) = self.clock.read();
                        driver.events(&mut 0, |key, ready| enqueue.push((key, ready)));
                        driver.take_up(now);
                        (now, instant)
                    };
                    let context = T::context(&mut self.scratch);
                    context.now = now;
                    context.instant = instant;
                    self.port.polled(self.thread, now, &enqueue)
                }
                Next::End => return Ok(()),
            };
        }
    }

    #[inline]
    fn turn(&mut self, turn: Turn<T>) -> Next<T> {
        self.port.runs();
        tick(&mut self.clock, T::context(&mut self.scratch));
        self::turn(&self.name, &self.port, self.thread, turn, &mut self.scratch)
    }
}

/// Sees to the time of the next turn.
#[inline]
fn tick(clock: &mut Clock, context: &mut WorkerContext) {
    if let Some((now, instant)) = clock.moved() {
        context.now = now;
        context.instant = instant;
    }
}

/// Runs a turn, and says what the thread does next.
#[inline]
fn turn<T: Task>(
    pool: &str,
    port: &Port<T>,
    thread: Thread,
    turn: Turn<T>,
    scratch: &mut T::Scratch,
) -> Next<T> {
    let Turn { key, mut task, ready, number, draining } = turn;
    let context = T::context(scratch);
    context.turn = number;
    context.draining = draining;
    // A panic of a handler ends that connection or job alone (X8).
    let after = caught(|| task.turn(key, ready, scratch)).unwrap_or_else(|| {
        task.recover(scratch);
        TurnOutcome::Gone(Ended::Panicked)
    });
    let (task, left) = match after {
        TurnOutcome::Gone(why) => {
            finish(pool, key, task, why, scratch);
            (None, Left::Gone)
        }
        TurnOutcome::Wait => (Some(task), Left::Waiting),
        TurnOutcome::Again => (Some(task), Left::Again),
    };
    port.turned(thread, key, task, left)
}

/// What the system's files about processes call this thread.
#[cfg(target_os = "linux")]
fn thread_id() -> Option<Arc<str>> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    Some(link.file_name()?.to_str()?.into())
}

#[cfg(not(target_os = "linux"))]
fn thread_id() -> Option<Arc<str>> {
    None
}
