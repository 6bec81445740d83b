use std::sync::Arc;
use std::time::Duration;

use super::port::{SimPort, SimPortSettings};
use super::stub_pools::Stubs;
use crate::clock::{ManualTime, TimeSource};
use crate::lifecycle::pool_state::PoolState;
use crate::net::readiness::Readiness;
use crate::scheduler::task::{Task, WorkerContext};
use crate::{Ended, Key, Route};

/// More turns in a row are an endless loop.
const ENDLESS: usize = 10_000_000;

/// A port of one thread with one connection or job on it, and the pools that it calls.
pub(super) struct Harness<T: Task> {
    port: SimPort<T>,
    pub(super) key: Key,
    pub(super) stubs: Stubs,
    time: ManualTime,
}

impl<T: Task> Harness<T> {
    /// Takes up what `task` makes, and gives it its first turn. `mail` opens its mailbox.
    pub(super) fn new(
        routes: &[Route],
        scratch: impl FnOnce(Arc<PoolState>, WorkerContext) -> T::Scratch,
        task: T,
        mail: impl FnOnce(&T::Scratch, Key),
    ) -> Self {
        let stubs = Stubs::new(routes);
        let time = ManualTime::new();
        let settings =
            SimPortSettings { threads: 1, cap: 1, time: time.clone(), generations: Arc::default() };
        let mut port = SimPort::new(settings);
        port.add_thread(stubs.entries(), scratch);
        let key = port.open(task);
        mail(port.scratch(), key);
        // The start state has its turn as soon as it is there.
        port.round(0);
        Self { port, key, stubs, time }
    }

    /// What the turns share.
    pub(super) fn scratch(&self) -> &T::Scratch {
        self.port.scratch()
    }

    /// One round; says whether there is more to do.
    pub(super) fn turn(&mut self, ready: Readiness) -> bool {
        self.port.tell(self.key, ready);
        self.port.round(0);
        self.port.is_awake(0)
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
        let now = self.time.now().millis;
        let until = now.saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        loop {
            let due = self.port.port().next_deadline();
            if due > until {
                break;
            }
            self.time.set(due.max(self.time.now().millis));
            self.run(Readiness::NONE);
        }
        self.time.set(until);
        self.run(Readiness::NONE);
    }

    pub(super) fn drain(&mut self) {
        self.port.port().drain();
        self.run(Readiness::NONE);
    }

    /// Looks at it, if it is not over.
    pub(super) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.port.port().look(self.key, look)
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
