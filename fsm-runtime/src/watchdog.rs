use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::core::Thread;
use crate::port::{Runs, Seats};
use crate::shell::Blocked;

/// How often it looks while threads could help out, and while not.
const FAST: Duration = Duration::from_micros(500);
const SLOW: Duration = Duration::from_millis(100);
/// It goes to sleep when it has seen nothing run so often.
const QUIET: u32 = 10;
/// A handler that runs so long is warned about, and again whenever ten times as much has passed.
const BUSY: Duration = Duration::from_millis(100);

/// A thread that sees which handlers block, and lets others run meanwhile (R3).
///
/// A port with work that waits, at its cap, and with threads that have none, calls it. Then it looks
/// at the handlers that have run for half a millisecond or more: what the system says of their
/// threads. One that sleeps does not count to the cap until it goes on. Of those that run for long
/// it warns, whether they block or not.
///
/// While nothing runs it sleeps. Where the system does not say what threads do, only what is
/// declared is known to block.
#[derive(Debug)]
pub(crate) struct Watchdog {
    alarm: Arc<Alarm>,
    thread: Option<JoinHandle<()>>,
}

/// What wakes it.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    /// A `Pace`, which is changed under the lock.
    pace: AtomicU8,
    lock: Mutex<()>,
    bell: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pace {
    Asleep,
    Slow,
    Fast,
    Over,
}

impl Alarm {
    fn pace(&self) -> Pace {
        match self.pace.load(Ordering::Relaxed) {
            0 => Pace::Asleep,
            1 => Pace::Slow,
            2 => Pace::Fast,
            _ => Pace::Over,
        }
    }

    /// A handler is about to run.
    #[inline]
    pub(crate) fn runs(&self) {
        if self.pace() == Pace::Asleep {
            self.raise(Pace::Slow);
        }
    }

    /// Work waits, and so do threads.
    #[inline]
    pub(crate) fn pressed(&self) {
        if self.pace() < Pace::Fast {
            self.raise(Pace::Fast);
        }
    }

    #[cfg(test)]
    pub(crate) fn is_fast(&self) -> bool {
        self.pace() == Pace::Fast
    }

    /// It is about to look: whoever calls from now on is heard, though it may be too late to be seen.
    fn lower(&self) {
        let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if self.pace() != Pace::Over {
            self.pace.store(Pace::Asleep as u8, Ordering::Relaxed);
        }
    }

    #[cold]
    fn raise(&self, pace: Pace) {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let news = self.pace() < pace;
        if news {
            self.pace.store(pace as u8, Ordering::Relaxed);
        }
        drop(lock);
        if news {
            self.bell.notify_one();
        }
    }

    /// Sleeps as long as that pace says, or a faster one to which it was raised since it was lowered,
    /// or until it is raised.
    fn wait(&self, pace: Pace) -> Pace {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = self.pace().max(pace);
        self.pace.store(pace as u8, Ordering::Relaxed);
        let time = match pace {
            Pace::Asleep => None,
            Pace::Slow => Some(SLOW),
            Pace::Fast => Some(FAST),
            Pace::Over => return pace,
        };
        match time {
            None => {
                while self.pace() == Pace::Asleep {
                    lock = self.bell.wait(lock).unwrap_or_else(PoisonError::into_inner);
                }
            }
            Some(time) => drop(self.bell.wait_timeout(lock, time)),
        }
        self.pace()
    }
}

impl Watchdog {
    /// Watches these ports, with the names of their pools.
    pub(crate) fn start(ports: Vec<(String, Arc<dyn Seats>)>) -> Self {
        let alarm = Arc::<Alarm>::default();
        for (_, port) in &ports {
            port.watched_by(&alarm);
        }
        let mut watch = Watch { ports, since: HashMap::new(), runs: Vec::new(), blind: false };
        let called = Arc::clone(&alarm);
        let run = move || {
            let (mut pace, mut quiet) = (Pace::Asleep, 0);
            loop {
                called.lower();
                let next = match watch.look() {
                    Seen::Nothing if pace == Pace::Asleep || quiet >= QUIET => Pace::Asleep,
                    Seen::Nothing => {
                        quiet += 1;
                        Pace::Slow
                    }
                    Seen::Running => {
                        quiet = 0;
                        Pace::Slow
                    }
                    Seen::Pressed => {
                        quiet = 0;
                        Pace::Fast
                    }
                };
                pace = called.wait(next);
                if pace == Pace::Over {
                    return;
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

/// What it sees.
struct Watch {
    ports: Vec<(String, Arc<dyn Seats>)>,
    /// Since when each thread of each port runs the same turn.
    since: HashMap<(usize, Thread), Since>,
    runs: Vec<Runs>,
    /// The system does not say what threads do, which was said.
    blind: bool,
}

struct Since {
    turn: u64,
    at: Instant,
    /// When it is worth a warning.
    warn: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Nothing,
    Running,
    /// Something blocks, or work waits.
    Pressed,
}

impl Watch {
    fn look(&mut self) -> Seen {
        let now = Instant::now();
        let mut seen = Seen::Nothing;
        for index in 0..self.ports.len() {
            let mut runs = std::mem::take(&mut self.runs);
            let port = Arc::clone(&self.ports[index].1);
            port.running(&mut runs);
            let pressed = port.is_pressed();
            if !runs.is_empty() {
                seen = seen.max(if pressed { Seen::Pressed } else { Seen::Running });
            }
            for run in runs.drain(..) {
                if run.blocked == Some(Blocked::Seen) {
                    seen = Seen::Pressed;
                }
                self.judge(index, &run, pressed, now);
            }
            self.runs = runs;
        }
        seen
    }

    /// Judges a thread that runs a turn.
    fn judge(&mut self, index: usize, run: &Runs, pressed: bool, now: Instant) {
        let fresh = Since { turn: run.turn, at: now, warn: BUSY };
        let since = self.since.entry((index, run.thread)).or_insert(fresh);
        if since.turn != run.turn {
            *since = Since { turn: run.turn, at: now, warn: BUSY };
        }
        let age = now.saturating_duration_since(since.at);
        if run.blocked == Some(Blocked::Declared) || age < FAST {
            return;
        }
        let (pool, port) = &self.ports[index];
        let state = port.spec().states.get(run.state).map_or("?", |state| state.name);
        let busy = age >= since.warn;
        if busy {
            since.warn = since.warn.saturating_mul(10);
        }
        if !busy && !pressed && run.blocked.is_none() {
            return;
        }
        let sleeps = run.id.as_deref().and_then(sleeps);
        match (sleeps, run.blocked) {
            (Some(true), None) => {
                port.block(run.thread, run.turn, Blocked::Seen);
            }
            (Some(false), Some(Blocked::Seen)) => {
                port.unblock(run.thread, run.turn, Blocked::Seen);
            }
            (None, _) if !std::mem::replace(&mut self.blind, true) => {
                tracing::info!(
                    "this system does not say which threads block: only what is declared gives way"
                );
            }
            _ => {}
        }
        if busy {
            let blocks = sleeps == Some(true);
            tracing::warn!(
                pool,
                state,
                key = %run.key,
                age = ?age,
                "a handler {}; others wait for it",
                if blocks { "blocks" } else { "is busy" },
            );
        }
    }
}

/// Whether the thread sleeps, by the letter that the system gives it: `S` or `D` where it does.
fn sleeps(id: &str) -> Option<bool> {
    let stat = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    Some(matches!(after.trim_start().chars().next()?, 'S' | 'D'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r3_a_call_while_it_looks_is_not_lost() {
        let alarm = Alarm::default();
        alarm.pressed();
        assert_eq!(alarm.wait(Pace::Slow), Pace::Fast);
        alarm.lower();
        // It has seen nothing, and then:
        alarm.pressed();
        assert_eq!(alarm.wait(Pace::Slow), Pace::Fast);
        alarm.lower();
        alarm.runs();
        assert_eq!(alarm.wait(Pace::Asleep), Pace::Slow);
    }
}
