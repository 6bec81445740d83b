use std::collections::HashMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::scheduler::alarm::{Alarm, FAST, Pace};
use crate::scheduler::observe::{Observe, RunningTurn};
use crate::scheduler::port_core::ThreadIndex;
use crate::scheduler::shared::Blocked;
use crate::scheduler::thread_stat::ThreadStat;

/// The number of looks in a row without a reason for the pace after which the watchdog slows down.
/// It is not 1, because load comes and goes, and to wake the watchdog costs more than a look.
const QUIET: u32 = 10;
/// The run time of a handler from which the watchdog warns. Each further warning needs ten times as
/// much.
const BUSY: Duration = Duration::from_millis(100);
/// The least time between two warnings about the same state.
const AGAIN: Duration = Duration::from_secs(10);

/// A thread that sees which handlers block, and lets others run meanwhile (R3).
///
/// A port wakes it when work waits and threads are idle, but `max_running` threads run handlers. Then
/// it asks the system about the threads of handlers that have run for half a millisecond or more. A
/// thread that sleeps does not count to `max_running` until it goes on. The watchdog warns of handlers
/// that run for long, whether they block or not.
///
/// It sleeps while nothing runs. On systems that do not report what threads do, only handlers that
/// declare it are known to block.
#[derive(Debug)]
pub(crate) struct Watchdog {
    alarm: Arc<Alarm>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub(crate) fn start(ports: Vec<WatchedPort>) -> Self {
        let alarm = Arc::<Alarm>::default();
        if ports.is_empty() {
            return Self { alarm, thread: None };
        }
        for watched in &ports {
            watched.port.set_alarm(&alarm);
        }
        let mut watchdog = WatchdogLoop { ports, running: Vec::new(), blind: false };
        let called = Arc::clone(&alarm);
        let run = move || {
            let (mut pace, mut quiet) = (Pace::Asleep, 0);
            while pace != Pace::Over {
                let wanted = watchdog.look();
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
            crate::log::warn!(%error, "there is no watchdog: only what is declared is known to block");
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

/// A port that the watchdog looks at, with what it remembers of the port.
pub(crate) struct WatchedPort {
    /// The name of the pool.
    pool: String,
    port: Arc<dyn Observe>,
    /// The turn that each thread ran at the last look.
    turns: HashMap<ThreadIndex, SeenTurn>,
    /// The files of the threads that it has asked the system about.
    stats: HashMap<ThreadIndex, ThreadStat>,
    /// The time of the last warning about a state, by the index of the state.
    warned: HashMap<usize, Instant>,
}

/// A turn that the watchdog has seen.
struct SeenTurn {
    number: u64,
    first_seen: Instant,
    /// The age at which the next warning is due.
    warn_at: Duration,
}

impl WatchedPort {
    /// A port of the pool with this name.
    pub(crate) fn new(pool: String, port: Arc<dyn Observe>) -> Self {
        let (turns, stats, warned) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { pool, port, turns, stats, warned }
    }

    /// Whether the thread with this id sleeps; `None` if the system does not say so.
    fn sleeps(&mut self, thread: ThreadIndex, id: &Arc<str>) -> Option<bool> {
        let known = self.stats.get(&thread).filter(|stat| stat.is_of(id));
        if let Some(sleeps) = known.and_then(ThreadStat::sleeps) {
            return Some(sleeps);
        }
        let stat = ThreadStat::open(id)?;
        let sleeps = stat.sleeps();
        self.stats.insert(thread, stat);
        sleeps
    }

    /// Whether no warning about this state was given within [`AGAIN`]. Then the caller warns: the time
    /// is recorded.
    fn may_warn(&mut self, state: usize, now: Instant) -> bool {
        let warned = self.warned.insert(state, now);
        let lately = warned.filter(|at| now.saturating_duration_since(*at) < AGAIN);
        if let Some(at) = lately {
            self.warned.insert(state, at);
        }
        lately.is_none()
    }
}

/// The state of the watchdog's thread.
struct WatchdogLoop {
    ports: Vec<WatchedPort>,
    /// Empty between two looks.
    running: Vec<RunningTurn>,
    /// The system does not report what threads do, and this was logged.
    blind: bool,
}

impl WatchdogLoop {
    /// Judges all running turns. Returns the pace that they ask for.
    fn look(&mut self) -> Pace {
        let now = Instant::now();
        let mut pace = Pace::Asleep;
        for index in 0..self.ports.len() {
            let mut running = std::mem::take(&mut self.running);
            let port = Arc::clone(&self.ports[index].port);
            let could_help = port.running(&mut running);
            if !running.is_empty() || port.is_up() {
                pace = pace.max(if could_help { Pace::Fast } else { Pace::Slow });
            }
            for turn in running.drain(..) {
                let age = self.judge(index, &turn, could_help, now);
                // The end of a short block must be noticed soon.
                if turn.blocked == Some(Blocked::Observed) && age < BUSY {
                    pace = Pace::Fast;
                }
            }
            self.running = running;
        }
        pace
    }

    /// Judges a running turn of the port with this index. Returns its age.
    fn judge(
        &mut self,
        index: usize,
        turn: &RunningTurn,
        could_help: bool,
        now: Instant,
    ) -> Duration {
        let watched = &mut self.ports[index];
        let fresh = || SeenTurn { number: turn.turn, first_seen: now, warn_at: BUSY };
        let seen = watched.turns.entry(turn.thread).or_insert_with(fresh);
        if seen.number != turn.turn {
            *seen = fresh();
        }
        if seen.first_seen == now {
            // For snapshots, which have no other source for the age of a turn.
            watched.port.seen(turn.thread, turn.turn, now);
        }
        let age = now.saturating_duration_since(seen.first_seen);
        if turn.blocked == Some(Blocked::Declared) || age < FAST {
            return age;
        }
        let state = watched.port.spec().states.get(turn.state).map_or("?", |state| state.name);
        let busy = age >= seen.warn_at;
        if busy {
            seen.warn_at = seen.warn_at.saturating_mul(10);
        }
        if !busy && !could_help && turn.blocked.is_none() {
            return age;
        }
        let sleeps = turn.id.as_ref().and_then(|id| watched.sleeps(turn.thread, id));
        match (sleeps, turn.blocked) {
            (Some(true), None) => {
                watched.port.block(turn.thread, turn.turn, Blocked::Observed);
            }
            (Some(false), Some(Blocked::Observed)) => {
                watched.port.unblock(turn.thread, turn.turn, Blocked::Observed);
            }
            (None, _) if !std::mem::replace(&mut self.blind, true) => {
                crate::log::info!(
                    "this system does not say which threads block: only what is declared gives way"
                );
            }
            _ => {}
        }
        if busy && watched.may_warn(turn.state, now) {
            let what = if sleeps == Some(true) {
                "a handler blocks; declare it with `#[run(blocking)]` or `cx.blocking(..)`"
            } else {
                "a handler is busy; give such work to a pool of its own"
            };
            crate::log::warn!(pool = watched.pool, state, key = %turn.key, age = ?age, "{what}");
        }
        age
    }
}
