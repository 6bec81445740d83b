use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::scheduler::alarm::{Alarm, FAST, Pace};
use crate::scheduler::observe::{Observe, RunningTurn};
use crate::scheduler::port_core::Thread;
use crate::scheduler::shared::Blocked;

/// It slows down after so many looks in a row without a reason for its pace, because load comes and
/// goes, and a call costs more than a look.
const QUIET: u32 = 10;
/// It warns of a handler that runs for so long, and again whenever ten times as much has passed.
const BUSY: Duration = Duration::from_millis(100);
/// The time between two warnings of the same state.
const AGAIN: Duration = Duration::from_secs(10);

/// A thread that sees which handlers block, and lets others run meanwhile (R3).
///
/// A port calls it that has reached its cap, while work waits and threads are idle. Then it asks the
/// system about the threads of handlers that have run for half a millisecond or more. A thread that
/// sleeps does not count to the cap until it goes on. The watchdog warns of handlers that run for
/// long, whether they block or not.
///
/// It sleeps while nothing runs. Where the system does not say what threads do, only handlers that
/// declare it are known to block.
#[derive(Debug)]
pub(crate) struct Watchdog {
    alarm: Arc<Alarm>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Watches these ports, with the names of their pools.
    pub(crate) fn start(ports: Vec<(String, Arc<dyn Observe>)>) -> Self {
        let alarm = Arc::<Alarm>::default();
        if ports.is_empty() {
            return Self { alarm, thread: None };
        }
        for (_, port) in &ports {
            port.set_alarm(&alarm);
        }
        let mut watch = Watch {
            ports,
            since: HashMap::new(),
            runs: Vec::new(),
            warned: HashMap::new(),
            blind: false,
        };
        let called = Arc::clone(&alarm);
        let run = move || {
            let (mut pace, mut quiet) = (Pace::Asleep, 0);
            while pace != Pace::Over {
                let wanted = watch.look();
                quiet = if wanted < pace { quiet + 1 } else { 0 };
                if quiet > QUIET {
                    pace = called.lower(pace, wanted);
                    quiet = 0;
                } else {
                    pace = called.wait(pace.max(wanted));
                }
            }
        };
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(run);
        if let Err(error) = &thread {
            tracing::warn!(%error, "there is no watchdog: only what is declared is known to block");
        }
        Self { alarm, thread: thread.ok() }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.alarm.raise(Pace::Over);
        if let Some(thread) = self.thread.take() {
            // It has no result, and a panic of it was logged.
            let _ = thread.join();
        }
    }
}

/// The ports that it looks at, and what it remembers of them.
struct Watch {
    ports: Vec<(String, Arc<dyn Observe>)>,
    /// Since when each thread of each port runs the same turn.
    since: HashMap<(usize, Thread), Since>,
    runs: Vec<RunningTurn>,
    /// When it last warned of a state of a port.
    warned: HashMap<(usize, usize), Instant>,
    /// The system does not say what threads do, and the log has it.
    blind: bool,
}

struct Since {
    turn: u64,
    at: Instant,
    /// When it is worth a warning.
    warn: Duration,
}

impl Watch {
    /// Judges all that runs; says at which pace to go on.
    fn look(&mut self) -> Pace {
        let now = Instant::now();
        let mut pace = Pace::Asleep;
        for index in 0..self.ports.len() {
            let mut runs = std::mem::take(&mut self.runs);
            let port = Arc::clone(&self.ports[index].1);
            let pressed = port.running(&mut runs);
            if !runs.is_empty() || port.is_up() {
                pace = pace.max(if pressed { Pace::Fast } else { Pace::Slow });
            }
            for run in runs.drain(..) {
                let age = self.judge(index, &run, pressed, now);
                // It is soon seen to go on, unless it blocks for long.
                if run.blocked == Some(Blocked::Observed) && age < BUSY {
                    pace = Pace::Fast;
                }
            }
            self.runs = runs;
        }
        pace
    }

    /// Judges a thread that runs a turn; says for how long it does.
    fn judge(&mut self, index: usize, run: &RunningTurn, pressed: bool, now: Instant) -> Duration {
        let fresh = Since { turn: run.turn, at: now, warn: BUSY };
        let since = self.since.entry((index, run.thread)).or_insert(fresh);
        if since.turn != run.turn {
            *since = Since { turn: run.turn, at: now, warn: BUSY };
        }
        let age = now.saturating_duration_since(since.at);
        if run.blocked == Some(Blocked::Declared) || age < FAST {
            return age;
        }
        let (_, port) = &self.ports[index];
        let state = port.spec().states.get(run.state).map_or("?", |state| state.name);
        let busy = age >= since.warn;
        if busy {
            since.warn = since.warn.saturating_mul(10);
        }
        if !busy && !pressed && run.blocked.is_none() {
            return age;
        }
        let sleeps = run.id.as_deref().and_then(sleeps);
        match (sleeps, run.blocked) {
            (Some(true), None) => {
                port.block(run.thread, run.turn, Blocked::Observed);
            }
            (Some(false), Some(Blocked::Observed)) => {
                port.unblock(run.thread, run.turn, Blocked::Observed);
            }
            (None, _) if !std::mem::replace(&mut self.blind, true) => {
                tracing::info!(
                    "this system does not say which threads block: only what is declared gives way"
                );
            }
            _ => {}
        }
        if busy && self.quiet(index, run.state, now) {
            let (pool, _) = &self.ports[index];
            let what = if sleeps == Some(true) {
                "a handler blocks; declare it with `#[run(blocking)]` or `cx.blocking(..)`"
            } else {
                "a handler is busy; give such work to a pool of its own"
            };
            tracing::warn!(pool, state, key = %run.key, age = ?age, "{what}");
        }
        age
    }
}

impl Watch {
    /// Whether nobody was warned of this state for a while.
    fn quiet(&mut self, port: usize, state: usize, now: Instant) -> bool {
        let warned = self.warned.insert((port, state), now);
        let lately = warned.filter(|at| now.saturating_duration_since(*at) < AGAIN);
        if let Some(at) = lately {
            self.warned.insert((port, state), at);
        }
        lately.is_none()
    }
}

/// Whether the thread sleeps, by the letter that the system gives it: `S` or `D` where it does.
fn sleeps(id: &str) -> Option<bool> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    Some(matches!(after.trim_start().chars().next()?, 'S' | 'D'))
}
