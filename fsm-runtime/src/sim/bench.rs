use std::sync::Arc;
use std::time::{Duration, Instant};

use super::desks::Desks;
use crate::control::Control;
use crate::link::Ready;
use crate::port::{Next, Port, Posted, Tells};
use crate::seats::Blocks;
use crate::shell::Blocked;
use crate::task::{Desk, Task};
use crate::{Ended, Key, Route};

/// The name of its pool, and its only thread.
const POOL: &str = "session";
const THREAD: usize = 0;
/// More turns in a row are an endless loop.
const ENDLESS: usize = 10_000_000;

/// A port with one connection or job on it, which a test drives instead of a thread.
pub(super) struct Bench<T: Task> {
    port: Port<T>,
    posted: Posted<T>,
    pub(super) env: T::Env,
    pub(super) control: Arc<Control>,
    pub(super) key: Key,
    pub(super) desks: Desks,
    start: Instant,
    now: u64,
}

impl<T: Task> Bench<T> {
    /// Takes up what `task` makes, and gives it its first turn. `mail` opens its mailbox.
    pub(super) fn new(
        routes: &[Route],
        env: impl FnOnce(Arc<Control>, Desk) -> T::Env,
        task: T,
        mail: impl FnOnce(&T::Env, Key),
    ) -> Self {
        let control = Arc::new(Control::new(1));
        let port = Port::new(0, (1, 1), Arc::clone(&control.counters), Box::new(|| {}));
        let desks = Desks::new(routes);
        let desk = Desk::new(Arc::new(Alone), THREAD, port.heartbeat(THREAD), desks.entries());
        let start = desk.instant;
        let env = env(Arc::clone(&control), desk);
        control.counters.accepted();
        if let Ok(credit) = control.credits.draw() {
            credit.keep();
        }
        let Ok(key) = port.open_here(task, Ready::NONE) else { unreachable!("it is not closed") };
        mail(&env, key);
        let posted = Posted::default();
        let mut bench = Self { port, posted, env, control, key, desks, start, now: 0 };
        // The start state has its turn as soon as it is there.
        bench.work(&[]);
        bench
    }

    /// Tells of events and runs what is ready; says whether there is more.
    fn work(&mut self, events: &[(Key, Ready)]) -> bool {
        let Self { port, posted, env, now, .. } = self;
        port.take_posted(posted);
        port.serve_events(POOL, &mut Told(events), env, |_| {});
        port.serve_queue(POOL, (*now, posted), env, |_| {});
        matches!(port.next_alone(), Next::Poll { until: 0 })
    }

    /// One round; says whether there is more to do.
    pub(super) fn turn(&mut self, ready: Ready) -> bool {
        self.work(&[(self.key, ready)])
    }

    /// Runs until it waits for something that the test must do.
    pub(super) fn run(&mut self, ready: Ready) {
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
            self.run(Ready::NONE);
        }
        self.set_time(until);
        self.run(Ready::NONE);
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        let desk = T::desk(&mut self.env);
        desk.now = now;
        desk.instant = self.start + Duration::from_millis(now);
    }

    pub(super) fn drain(&mut self) {
        self.port.drain();
        self.run(Ready::NONE);
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
        let stats = self.control.stats();
        let counts = [
            (stats.done, Ended::Done),
            (stats.reset, Ended::Reset),
            (stats.panicked, Ended::Panicked),
            (stats.stalled, Ended::Stalled),
            (stats.spun, Ended::Spun),
            (stats.drained, Ended::Drained),
            (stats.closed, Ended::Closed),
            (stats.handed_off, Ended::HandedOff),
        ];
        counts.into_iter().find(|(count, _)| *count > 0).map(|(_, why)| why)
    }
}

/// The events of a poll that there was not.
struct Told<'a>(&'a [(Key, Ready)]);

impl Tells for Told<'_> {
    fn events(&mut self, from: &mut usize, mut told: impl FnMut(Key, Ready)) {
        for (key, ready) in &self.0[*from..] {
            *from += 1;
            told(*key, *ready);
        }
    }
}

/// The threads of a test: nobody else runs while one blocks.
struct Alone;

impl Blocks for Alone {
    fn block(&self, _: usize, _: u64, _: Blocked) -> bool {
        false
    }

    fn unblock(&self, _: usize, _: u64, _: Blocked) {}
}
