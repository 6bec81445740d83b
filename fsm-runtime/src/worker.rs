use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::control::{Control, Order};
use crate::core::Thread;
use crate::port::{Left, Next, Port, Posted, Tells, Turn};
use crate::task::{After, Desk, Task, caught, drop_panic};
use crate::{Ended, Key, PoolError};

/// What the thread that polls does: it waits for whatever a port's connections or jobs wait for.
pub(crate) trait Waits: Tells {
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
    pub(crate) waits: Arc<Mutex<W>>,
    pub(crate) thread: Thread,
    pub(crate) env: T::Env,
    pub(crate) clock: Clock,
    pub(crate) control: Arc<Control>,
    /// What it has taken of what was left for it, where it is alone.
    pub(crate) posted: Posted<T>,
}

impl<T: Task, W: Waits> Worker<T, W> {
    /// Runs what is ready, and waits, until the port is closed.
    pub(crate) fn run(mut self) -> Result<(), PoolError> {
        self.port.enlist(self.thread, thread_id());
        // It may run before it polls, and the pool may have been made a while ago.
        let (now, instant) = self.clock.read();
        let desk = T::desk(&mut self.env);
        desk.now = now;
        desk.instant = instant;
        let result = self.serve();
        // What is left when the last thread ends was in the middle of something.
        for (key, task) in self.port.leave().into_iter().flatten() {
            task.cut_off();
            end(&self.name, key, task, Ended::Closed, &mut self.env);
        }
        let Self { name, env, .. } = self;
        if caught(|| drop(env)).is_none() {
            tracing::error!(pool = name, "a handler panicked while it was dropped");
        }
        result
    }

    fn serve(&mut self) -> Result<(), PoolError> {
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.work())) {
                Ok(Ok(())) => break,
                Ok(Err(error)) => {
                    self.control.give(Order::Close);
                    return Err(error);
                }
                // No code of the user's gets here: it is a bug of ours, and the end of one
                // connection. The thread goes on as a new one would.
                Err(panic) => {
                    drop_panic(panic);
                    tracing::error!(pool = self.name, "a thread of a pool panicked");
                    if self.port.lost(self.thread).is_some() {
                        self.control.ended(Ended::Panicked);
                    }
                }
            }
        }
        Ok(())
    }

    fn work(&mut self) -> Result<(), PoolError> {
        if self.port.is_alone() { self.work_alone() } else { self.work_with_others() }
    }

    fn work_alone(&mut self) -> Result<(), PoolError> {
        let Self { name, port, waits, env, clock, posted, .. } = self;
        let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
        while let Next::Poll { until } = port.next_alone() {
            waits.wait(until, clock)?;
            let (now, instant) = clock.read();
            let desk = T::desk(env);
            desk.now = now;
            desk.instant = instant;
            port.take_posted(posted);
            // The watchdog can see now that this thread is up: if it goes to sleep it has looked before.
            port.runs();
            if W::EVER {
                port.serve_events(name, &mut *waits, env, |desk| tick(clock, desk));
            }
            waits.take_up(now);
            port.serve_queue(name, (now, posted), env, |desk| tick(clock, desk));
        }
        Ok(())
    }

    fn work_with_others(&mut self) -> Result<(), PoolError> {
        let mut told = Vec::new();
        let mut next = self.port.begin(self.thread);
        loop {
            next = match next {
                Next::Run(turn) => self.turn(turn),
                Next::Poll { until } => {
                    told.clear();
                    let (now, instant) = {
                        // Only the thread that polls is here. The lock must be free before the port
                        // is told, which may make another thread poll.
                        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
                        waits.wait(until, &mut self.clock)?;
                        let (now, instant) = self.clock.read();
                        waits.events(&mut 0, |key, ready| told.push((key, ready)));
                        waits.take_up(now);
                        (now, instant)
                    };
                    let desk = T::desk(&mut self.env);
                    desk.now = now;
                    desk.instant = instant;
                    self.port.polled(self.thread, now, &told)
                }
                Next::End => return Ok(()),
            };
        }
    }

    #[inline]
    fn turn(&mut self, turn: Turn<T>) -> Next<T> {
        self.port.runs();
        tick(&mut self.clock, T::desk(&mut self.env));
        self::turn(&self.name, &self.port, self.thread, turn, &mut self.env)
    }
}

/// Sees to the time of the next turn.
#[inline]
fn tick(clock: &mut Clock, desk: &mut Desk) {
    if let Some((now, instant)) = clock.moved() {
        desk.now = now;
        desk.instant = instant;
    }
}

/// Runs a turn, and says what the thread does next.
#[inline]
fn turn<T: Task>(
    pool: &str,
    port: &Port<T>,
    thread: Thread,
    turn: Turn<T>,
    env: &mut T::Env,
) -> Next<T> {
    let Turn { key, mut task, ready, number, draining } = turn;
    let desk = T::desk(env);
    desk.turn = number;
    desk.draining = draining;
    // A panic of a handler ends that connection or job alone (X8).
    let after = caught(|| task.turn(key, ready, env)).unwrap_or_else(|| {
        task.recover(env);
        After::Gone(Ended::Panicked)
    });
    let (task, left) = match after {
        After::Gone(why) => {
            finish(pool, key, task, why, env);
            (None, Left::Gone)
        }
        After::Wait => (Some(task), Left::Waits),
        After::Again => (Some(task), Left::Again),
    };
    port.turned(thread, key, task, left)
}

/// Sees to the end of a connection or job.
pub(crate) fn finish<T: Task>(pool: &str, key: Key, task: T, why: Ended, env: &mut T::Env) {
    report::<T>(pool, key, task.state(), why);
    task.over(key, why, env);
    if why == Ended::Panicked {
        T::restore(env);
    }
}

pub(crate) fn end<T: Task>(pool: &str, key: Key, task: T, why: Ended, env: &mut T::Env) {
    report::<T>(pool, key, task.state(), why);
    task.over(key, why, env);
}

#[inline]
fn report<T: Task>(pool: &str, key: Key, state: usize, why: Ended) {
    if let Ended::Panicked | Ended::Spun = why {
        let state = T::SPEC.states[state].name;
        tracing::error!(pool, %key, machine = T::SPEC.name, state, "a handler has failed: {why}");
    }
    tracing::trace!(pool, %key, %why, state = T::SPEC.states[state].name, "over");
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

/// How a port drains.
#[derive(Debug)]
pub(crate) struct Drain {
    pool: String,
    patience: u64,
    /// When it ends at the latest, once it has begun.
    by: Option<u64>,
}

impl Drain {
    pub(crate) fn new(pool: String, patience: Duration) -> Self {
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        Self { pool, patience, by: None }
    }

    /// Whether it is to begin now. When its time is over everything is closed.
    pub(crate) fn begins(&mut self, control: &Control, now: u64) -> bool {
        if control.order() != Order::Drain {
            return false;
        }
        match self.by {
            None => {
                self.by = Some(now.saturating_add(self.patience));
                true
            }
            Some(by) => {
                if by <= now {
                    let open = control.credits.out();
                    tracing::warn!(pool = self.pool, open, "the drain time is over; closing");
                    control.give(Order::Close);
                }
                false
            }
        }
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.by.is_some()
    }

    /// When everything is closed at the latest.
    pub(crate) fn ends_by(&self, control: &Control) -> Option<u64> {
        self.by.filter(|_| control.order() == Order::Drain)
    }
}
