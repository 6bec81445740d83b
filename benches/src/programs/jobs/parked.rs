use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};

use super::cost::{Cost, Stopwatch};

/// Runs two threads that park and unpark each other.
///
/// The result is a lower bound of a job's cost if both threads sleep. The caller has the even turns,
/// the worker the odd ones.
pub(super) fn run(jobs: u64) -> Cost {
    let turn = Arc::new(AtomicU64::new(0));
    let (caller, warm_up) = (thread::current(), 1000);
    let last = 2 * (warm_up + jobs);
    let worker = thread::spawn({
        let turn = Arc::clone(&turn);
        move || take_turns(&turn, 1, last, &caller)
    });
    take_turns(&turn, 0, 2 * warm_up, worker.thread());
    let stopwatch = Stopwatch::start();
    take_turns(&turn, 2 * warm_up, last, worker.thread());
    let cost = stopwatch.stop(jobs);
    worker.join().expect("the worker does not panic");
    cost
}

/// Takes every second turn from `first` until `last`, exclusive.
fn take_turns(turn: &AtomicU64, first: u64, last: u64, other: &Thread) {
    for mine in (first..last).step_by(2) {
        while turn.load(Ordering::Acquire) != mine {
            thread::park();
        }
        turn.store(mine + 1, Ordering::Release);
        other.unpark();
    }
}
