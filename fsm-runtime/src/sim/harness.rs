use std::sync::Arc;

use super::clock::{Origin, Timed};
use super::port::SimPort;
use super::stub_pools::Stubs;
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::scheduler::task::{Task, WorkerContext};
use crate::{Ended, Key, Route};

/// More turns in a row are an endless loop.
const ENDLESS: usize = 10_000_000;
/// The only thread.
const ONLY_THREAD: usize = 0;

/// A port of one thread with one connection or job on it, and the pools that it calls.
pub(super) struct Harness<T: Task> {
    port: SimPort<T>,
    pub(super) key: Key,
    pub(super) stubs: Stubs,
    origin: Origin,
}

impl<T: Task> Harness<T> {
    /// Makes the port; `scratch` makes what the turns share.
    pub(super) fn new(
        origin: &Origin,
        routes: &[Route],
        scratch: impl FnOnce(Arc<PoolState>, WorkerContext) -> T::Scratch,
    ) -> Self {
        let stubs = Stubs::new(routes);
        let mut port = SimPort::new(origin, 1, 1);
        port.add_thread(stubs.entries(), scratch);
        Self { port, key: Key::new(0, 0), stubs, origin: origin.clone() }
    }

    /// Takes up its connection or job, and gives it its first turn. `enter` is given its key before.
    pub(super) fn open(&mut self, task: T, enter: impl FnOnce(Key)) {
        self.key = self.port.open(task);
        enter(self.key);
        self.port.round(ONLY_THREAD);
    }

    /// The state that the turns share.
    pub(super) fn scratch(&self) -> &T::Scratch {
        self.port.scratch()
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// One round; says whether there is more to do.
    pub(super) fn turn(&mut self, ready: Readiness) -> bool {
        self.port.add_event(self.key, ready);
        self.port.round(ONLY_THREAD);
        self.port.is_awake(ONLY_THREAD)
    }

    /// Runs until it waits for something that the test must do.
    pub(super) fn run(&mut self, ready: Readiness) {
        let mut turns = 0;
        while self.turn(ready) {
            turns += 1;
            assert!(turns < ENDLESS, "the machine `{}` goes round and round", T::SPEC.name);
        }
    }

    pub(super) fn drain(&mut self) {
        self.port.port().drain();
        self.run(Readiness::NONE);
    }

    /// Looks at it, if it is not over.
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
        let stats = self.port.pool_state.stats();
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

impl<T: Task> Timed for Harness<T> {
    fn next_deadline(&self) -> u64 {
        self.port.port().next_deadline()
    }

    fn run_due(&mut self) {
        self.run(Readiness::NONE);
    }
}
