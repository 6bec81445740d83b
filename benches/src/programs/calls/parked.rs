use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};

use super::{Cost, Watch};

/// Two threads that wake each other: what a job cannot cost less than where both sleep.
///
/// A turn of the caller's is an even number, and one of the worker's is odd.
pub(super) fn run(jobs: u64) -> Cost {
    let turn = Arc::new(AtomicU64::new(0));
    let (caller, warm) = (thread::current(), 1000);
    let last = 2 * (warm + jobs);
    let worker = thread::spawn({
        let turn = Arc::clone(&turn);
        move || play(&turn, 1, last, &caller)
    });
    play(&turn, 0, 2 * warm, worker.thread());
    let watch = Watch::start();
    play(&turn, 2 * warm, last, worker.thread());
    let cost = watch.stop(jobs);
    worker.join().expect("nobody panics there");
    cost
}

/// Has every second turn from `first` on, until the one before `last`.
fn play(turn: &AtomicU64, first: u64, last: u64, other: &Thread) {
    for mine in (first..last).step_by(2) {
        while turn.load(Ordering::Acquire) != mine {
            thread::park();
        }
        turn.store(mine + 1, Ordering::Release);
        other.unpark();
    }
}
