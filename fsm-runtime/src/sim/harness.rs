use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::clock::{TimeOrigin, Timed};
use super::port::SimPort;
use super::stub_pools::Stubs;
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::scheduler::task::{Task, WorkerContext};
use crate::{Ended, Key, Route, Stats};

/// The number of turns in a row that counts as an endless loop.
const MAX_TURNS: usize = 10_000_000;
/// The index of the only thread.
const ONLY_THREAD: usize = 0;

/// A port of one thread with one connection or job, and stubs of the pools that it calls.
pub(super) struct Harness<T: Task> {
    port: SimPort<T>,
    pub(super) key: Key,
    pub(super) stubs: Stubs,
    origin: TimeOrigin,
    /// The events that a turn has caused at the peer.
    pub(super) events: Rc<Cell<Readiness>>,
}

impl<T: Task> Harness<T> {
    /// Makes the port; `scratch` makes the state that the turns share.
    pub(super) fn new(
        origin: &TimeOrigin,
        routes: &[Route],
        scratch: impl FnOnce(Arc<PoolState>, WorkerContext) -> T::Scratch,
    ) -> Self {
        let stubs = Stubs::new(routes);
        let mut port = SimPort::new(origin, 1, 1);
        port.add_thread(stubs.entries(), scratch);
        Self { port, key: Key::new(0, 0), stubs, origin: origin.clone(), events: Rc::default() }
    }

    /// Adds the connection or job, calls `before_turn` with its key, and runs its first turn.
    pub(super) fn open(&mut self, task: T, before_turn: impl FnOnce(Key)) {
        self.key = self.port.open(task);
        before_turn(self.key);
        self.port.round(ONLY_THREAD);
    }

    /// The state that the turns share.
    pub(super) fn scratch(&self) -> &T::Scratch {
        self.port.scratch()
    }

    /// Takes the last panic of a handler.
    pub(super) fn take_panic(&mut self) -> Option<Box<dyn Any + Send>> {
        self.port.take_panic()
    }

    pub(super) fn origin(&self) -> &TimeOrigin {
        &self.origin
    }

    /// Runs one round. Returns whether there is more to do.
    pub(super) fn turn(&mut self, ready: Readiness) -> bool {
        self.port.add_event(self.key, ready | self.events.take());
        self.port.round(ONLY_THREAD);
        self.port.is_awake(ONLY_THREAD) || self.events.get() != Readiness::NONE
    }

    /// Runs rounds until the machine waits for an action of the test.
    pub(super) fn run(&mut self, ready: Readiness) {
        let mut turns = 0;
        while self.turn(ready) {
            turns += 1;
            assert!(turns < MAX_TURNS, "the machine `{}` loops without end", T::SPEC.name);
        }
    }

    pub(super) fn drain(&mut self) {
        self.port.port().drain();
        self.run(Readiness::NONE);
    }

    /// Calls `inspect` with the connection or job, if it has not ended.
    pub(super) fn inspect<R>(&self, inspect: impl FnOnce(&T) -> R) -> Option<R> {
        self.port.port().inspect(self.key, inspect)
    }

    pub(super) fn state_index(&self) -> Option<usize> {
        self.inspect(T::state)
    }

    pub(super) fn state(&self) -> Option<&'static str> {
        self.state_index().map(|state| T::SPEC.states[state].name)
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        if self.state_index().is_some() {
            return None;
        }
        why(&self.port.pool_state.stats())
    }
}

/// Why the only connection or job has ended.
fn why(stats: &Stats) -> Option<Ended> {
    let counts = [
        (stats.done, Ended::Done),
        (stats.failed, Ended::Failed),
        (stats.reset, Ended::Reset),
        (stats.truncated, Ended::Truncated),
        (stats.tls_failures, Ended::TlsFailed),
        (stats.layer_failures, Ended::LayerFailed),
        (stats.panicked, Ended::Panicked),
        (stats.send_timeouts, Ended::SendTimeout),
        (stats.busy_loops, Ended::BusyLoop),
        (stats.drained, Ended::Drained),
        (stats.shed, Ended::Shed),
        (stats.closed, Ended::Closed),
        (stats.handed_off, Ended::HandedOff),
        (stats.moved, Ended::Moved),
    ];
    counts.into_iter().find(|(count, _)| *count > 0).map(|(_, why)| why)
}

impl<T: Task> Timed for Harness<T> {
    fn next_deadline(&self) -> u64 {
        self.port.port().next_deadline()
    }

    fn run_due(&mut self) {
        self.run(Readiness::NONE);
    }
}
