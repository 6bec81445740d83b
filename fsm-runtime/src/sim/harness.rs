use std::sync::Arc;
use std::time::{Duration, Instant};

use super::stub_pools::Stubs;
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::scheduler::observe::BlockTracker;
use crate::scheduler::port::{EventSource, Injected, Next, Port};
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{Task, WorkerContext};
use crate::{Ended, Key, Route};

/// The name of its pool, and its only thread.
const POOL: &str = "session";
const THREAD: usize = 0;
/// More turns in a row are an endless loop.
const ENDLESS: usize = 10_000_000;

/// A port with one connection or job on it, which a test drives instead of a thread.
pub(super) struct Harness<T: Task> {
    port: Port<T>,
    injected: Injected<T>,
    pub(super) scratch: T::Scratch,
    pub(super) pool_state: Arc<PoolState>,
    pub(super) key: Key,
    pub(super) stubs: Stubs,
    start: Instant,
    now: u64,
}

impl<T: Task> Harness<T> {
    /// Takes up what `task` makes, and gives it its first turn. `mail` opens its mailbox.
    pub(super) fn new(
        routes: &[Route],
        scratch: impl FnOnce(Arc<PoolState>, WorkerContext) -> T::Scratch,
        task: T,
        mail: impl FnOnce(&T::Scratch, Key),
    ) -> Self {
        let pool_state = Arc::new(PoolState::new(1));
        let port = Port::new(0, (1, 1), Arc::clone(&pool_state.counters), Box::new(|| {}));
        let stubs = Stubs::new(routes);
        let context =
            WorkerContext::new(Arc::new(Alone), THREAD, port.status(THREAD), stubs.entries());
        let start = context.instant;
        let scratch = scratch(Arc::clone(&pool_state), context);
        pool_state.counters.accepted();
        if let Ok(permit) = pool_state.semaphore.try_acquire() {
            permit.forget();
        }
        let Ok(key) = port.open_here(task, Readiness::NONE) else {
            unreachable!("it is not closed")
        };
        mail(&scratch, key);
        let injected = Injected::default();
        let mut harness = Self { port, injected, scratch, pool_state, key, stubs, start, now: 0 };
        // The start state has its turn as soon as it is there.
        harness.work(&[]);
        harness
    }

    /// Tells of events and runs what is ready; says whether there is more.
    fn work(&mut self, events: &[(Key, Readiness)]) -> bool {
        let Self { port, injected, scratch, now, .. } = self;
        port.take_injected(injected);
        port.serve_events(POOL, &mut Told(events), scratch, |_| {});
        port.serve_queue(POOL, (*now, injected), scratch, |_| {});
        matches!(port.next_single_threaded(), Next::Poll { until: 0 })
    }

    /// One round; says whether there is more to do.
    pub(super) fn turn(&mut self, ready: Readiness) -> bool {
        self.work(&[(self.key, ready)])
    }

    /// Runs until it waits for something that the test must do.
    pub(super) fn run(&mut self, ready: Readiness) {
        let mut turns = 0;
        while self.turn(ready) {
            turns += 1;
            assert!(turns < ENDLESS, "the machine `{}` goes round and round", T::SPEC.name);
        }
    }

    /// Lets time pass, with all that comes due in it.
    pub(super) fn advance(&mut self, time: Duration) {
        let until = self.now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        while let Some(due) = self.port.next_deadline().filter(|due| *due <= until) {
            self.set_time(due.max(self.now));
            self.run(Readiness::NONE);
        }
        self.set_time(until);
        self.run(Readiness::NONE);
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        let context = T::context(&mut self.scratch);
        context.now = now;
        context.instant = self.start + Duration::from_millis(now);
    }

    pub(super) fn drain(&mut self) {
        self.port.drain();
        self.run(Readiness::NONE);
    }

    /// Looks at it, if it is not over.
    pub(super) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.port.look(self.key, look)
    }

    pub(super) fn state_index(&self) -> Option<usize> {
        self.look(T::state)
    }

    pub(super) fn state(&self) -> Option<&'static str> {
        self.state_index().map(|state| T::SPEC.states[state].name)
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        if self.state_index().is_some() {
            return None;
        }
        let stats = self.pool_state.stats();
        let counts = [
            (stats.done, Ended::Done),
            (stats.reset, Ended::Reset),
            (stats.panicked, Ended::Panicked),
            (stats.send_timeouts, Ended::SendTimeout),
            (stats.busy_loops, Ended::BusyLoop),
            (stats.drained, Ended::Drained),
            (stats.closed, Ended::Closed),
            (stats.handed_off, Ended::HandedOff),
        ];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, why)| why)
    }
}

/// The events of a poll that there was not.
struct Told<'a>(&'a [(Key, Readiness)]);

impl EventSource for Told<'_> {
    fn events(&mut self, from: &mut usize, mut enqueue: impl FnMut(Key, Readiness)) {
        for (key, ready) in &self.0[*from..] {
            *from += 1;
            enqueue(*key, *ready);
        }
    }
}

/// The threads of a test: nobody else runs while one blocks.
struct Alone;

impl BlockTracker for Alone {
    fn block(&self, _: usize, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: usize, _: u64, _: Blocked) {}
}
