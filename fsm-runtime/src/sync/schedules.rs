//! Runs a check under many schedules of its threads, and what such checks have in common.
//!
//! A thread that is never woken is a deadlock, which both loom and shuttle report. Shuttle also
//! prints the schedule that failed as a text that `shuttle::replay` runs again.

#[cfg(loom)]
pub(crate) use loom::thread;
#[cfg(shuttle)]
pub(crate) use shuttle::thread;

use crate::Key;
use crate::sync::{Condvar, Mutex};
use crate::wake::Wake;

/// Runs the check under all schedules with at most so many preemptions, or with
/// `FSM_PREEMPTIONS`, each of which makes it take about five times as long.
#[cfg(loom)]
pub(crate) fn schedules(preemptions: usize, check: impl Fn() + Sync + Send + 'static) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let mut builder = loom::model::Builder::new();
    let more = std::env::var("FSM_PREEMPTIONS").ok().and_then(|count| count.parse().ok());
    builder.preemption_bound = Some(more.unwrap_or(preemptions));
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        check();
    });
    println!("{} schedules", count.load(Ordering::Relaxed));
}

/// Runs the check under `FSM_SCHEDULES` random schedules, 500 by default. Half of them choose the
/// next thread anew at each step; the others let threads run on and preempt them a few times.
#[cfg(shuttle)]
pub(crate) fn schedules(check: impl Fn() + Send + Sync + 'static) {
    let count = std::env::var("FSM_SCHEDULES")
        .map_or(500, |count| count.parse::<usize>().expect("`FSM_SCHEDULES` is a number"));
    let check = std::sync::Arc::new(check);
    let again = std::sync::Arc::clone(&check);
    shuttle::check_random(move || check(), count.div_ceil(2));
    shuttle::check_pct(move || again(), count / 2, 4);
}

/// A random number of the schedule, which comes again when the schedule is replayed.
#[cfg(shuttle)]
pub(crate) fn below(bound: usize) -> usize {
    use shuttle::rand::{Rng, thread_rng};

    thread_rng().gen_range(0..bound)
}

/// Something that one thread waits for and another one raises.
#[derive(Default)]
pub(crate) struct Flag {
    raised: Mutex<bool>,
    condvar: Condvar,
}

impl Flag {
    pub(crate) fn raise(&self) {
        *self.raised.lock().expect("no panics") = true;
        self.condvar.notify_one();
    }

    pub(crate) fn wait(&self) {
        let mut raised = self.raised.lock().expect("no panics");
        while !*raised {
            raised = self.condvar.wait(raised).expect("no panics");
        }
    }
}

impl Wake for Flag {
    fn wake(&self, _: Key) {
        self.raise();
    }
}
