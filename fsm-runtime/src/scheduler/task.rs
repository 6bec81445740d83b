use std::any::Any;
use std::sync::Arc;

use crate::call::reply::Caller;
use crate::call::service::PoolEntry;
use crate::clock::{Moment, Time, WallTime};
use crate::net::readiness::Readiness;
use crate::panics::drop_panic;
use crate::scheduler::observe::BlockTracker;
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::thread_status::ThreadStatus;
#[cfg(feature = "transitions")]
use crate::stats::LocalEdges;
use crate::{Ended, Key, Spec};

/// A connection or a job: a port runs turns of it.
pub(crate) trait Task: Sized {
    /// The state that all turns on one thread share.
    type Scratch;
    const SPEC: &'static Spec;

    /// Runs the machine until it waits for something that is not there, or its budget is used up.
    fn turn(&mut self, key: Key, ready: Readiness, scratch: &mut Self::Scratch) -> TurnOutcome;

    /// The time at which the task must have a turn at the latest.
    fn due(&self) -> u64;

    /// The index of the machine's state.
    fn state(&self) -> usize;

    /// Whether nothing is in progress.
    fn is_at_rest(&self) -> bool {
        false
    }

    /// Whether its machine is done, so that its deadlines are none of the machine's.
    fn closes(&self) -> bool {
        false
    }

    /// The call that a job replies to.
    fn caller(&self) -> Option<Caller> {
        None
    }

    /// Makes the next turn end the task as [`Ended::Closed`]. Returns whether that is possible.
    fn end_next(&mut self) -> bool {
        false
    }

    /// Makes the next turn end the task as [`Ended::Shed`], if it is still at rest then. Returns whether that
    /// is possible.
    fn shed_next(&mut self) -> bool {
        false
    }

    /// Makes the task try again to leave for another process, if it was refused there before this time, which is an
    /// odd one or not.
    #[cfg(all(feature = "pool", unix))]
    fn move_next(&mut self, odd_time: bool) {
        let _ = odd_time;
    }

    /// Aborts the transport, before a task is closed in the middle of something: the peer must not
    /// take the output so far for the whole.
    fn abort(&mut self);

    /// Ends the task: counts its end, closes its mailbox, drops it and releases its permit. Catches
    /// panics of the user's code.
    fn on_end(self, key: Key, why: Ended, scratch: &mut Self::Scratch);

    /// Drops the values that must not be used again after a handler has panicked.
    fn recover(&mut self, scratch: &mut Self::Scratch);

    /// Replaces the values that `recover` has dropped. This may take long, so it comes after the callers
    /// that wait for the task have got its end.
    fn restore(_: &mut Self::Scratch) {}

    fn context(scratch: &mut Self::Scratch) -> &mut WorkerContext;
}

/// The result of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TurnOutcome {
    /// The task waits for an event.
    Wait,
    /// The task has more to do, but its budget was used up.
    Again,
    /// The task has come to its end.
    Ended(Ended),
}

/// Reports and drops a task. After a panic it makes a new handler for the thread
/// ([`Task::restore`]).
pub(crate) fn end_and_restore<T: Task>(
    pool: &str,
    key: Key,
    task: T,
    why: Ended,
    scratch: &mut T::Scratch,
) {
    report::<T>(pool, key, task.state(), why);
    task.on_end(key, why, scratch);
    if why == Ended::Panicked {
        T::restore(scratch);
    }
}

/// Reports and drops a task.
pub(crate) fn end<T: Task>(pool: &str, key: Key, task: T, why: Ended, scratch: &mut T::Scratch) {
    report::<T>(pool, key, task.state(), why);
    task.on_end(key, why, scratch);
}

#[inline]
fn report<T: Task>(pool: &str, key: Key, state: usize, why: Ended) {
    if let Ended::Panicked | Ended::BusyLoop = why {
        let state = T::SPEC.states[state].name;
        crate::log::error!(pool, %key, machine = T::SPEC.name, state, "a handler has failed: {why}");
    }
    crate::log::trace!(pool, %key, %why, state = T::SPEC.states[state].name, "over");
}

/// The state that all turns on one thread share, in pools of connections and of jobs alike.
pub(crate) struct WorkerContext {
    pub(crate) port: Arc<dyn BlockTracker>,
    pub(crate) thread: ThreadIndex,
    /// The number of the thread's current turn.
    pub(crate) turn: u64,
    pub(crate) status: Arc<ThreadStatus>,
    /// How often the thread has taken each edge; none under test.
    #[cfg(feature = "transitions")]
    pub(crate) edges: LocalEdges,
    /// The pools that the machine calls and hands over to, by the number of the route.
    pub(crate) routes: Arc<[PoolEntry]>,
    /// The time of the turn, in milliseconds of the pool's time source.
    pub(crate) now: u64,
    /// The same time on the system's clock.
    pub(crate) instant: Moment,
    /// The wall clock, which is read only for a handler that asks.
    pub(crate) wall: WallTime,
    /// The bytes of queued output at which a connection takes no input and no message.
    pub(crate) output_mark: usize,
    pub(crate) draining: bool,
    /// A panic of a handler is kept in `panic`, for a test to look at.
    pub(crate) keeps_panic: bool,
    /// The last panic of a handler, if it is kept.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
}

impl WorkerContext {
    pub(crate) fn new(
        port: Arc<dyn BlockTracker>,
        thread: ThreadIndex,
        status: Arc<ThreadStatus>,
        routes: Arc<[PoolEntry]>,
        time: Time,
    ) -> Self {
        let Time { millis: now, instant } = time;
        Self {
            port,
            thread,
            turn: 0,
            status,
            #[cfg(feature = "transitions")]
            edges: LocalEdges::default(),
            routes,
            now,
            instant,
            wall: WallTime::default(),
            output_mark: usize::MAX,
            draining: false,
            keeps_panic: false,
            panic: None,
        }
    }

    /// Keeps or drops the panic of a handler.
    #[cold]
    pub(crate) fn panicked(&mut self, panic: Box<dyn Any + Send>) {
        let dropped = if self.keeps_panic { self.panic.replace(panic) } else { Some(panic) };
        if let Some(panic) = dropped {
            drop_panic(panic);
        }
        self.status.unblock();
    }

    #[inline]
    pub(crate) fn set_time(&mut self, time: Time) {
        self.now = time.millis;
        self.instant = time.instant;
    }
}
