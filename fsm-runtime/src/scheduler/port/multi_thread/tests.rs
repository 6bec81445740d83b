//! A port whose threads are all this one: each call is what a thread of that number does.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::scheduler::observe::{BlockTracker, Observe};
use crate::scheduler::port::Port;
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{TurnOutcome, WorkerContext};
use crate::wake::Wake;
use crate::{Ended, Spec};

/// A task that does nothing; the test sets how each turn ends.
struct Idle {
    due: u64,
}

impl Task for Idle {
    type Scratch = WorkerContext;
    const SPEC: &'static Spec =
        &Spec::new("Script", &[crate::State::new("Only", &[crate::Wait::End])]);

    fn turn(&mut self, _: Key, _: Readiness, _: &mut WorkerContext) -> TurnOutcome {
        TurnOutcome::Wait
    }

    fn due(&self) -> u64 {
        self.due
    }

    fn state(&self) -> usize {
        0
    }

    fn abort(&mut self) {}

    fn on_end(self, _: Key, _: Ended, _: &mut WorkerContext) {}

    fn recover(&mut self, _: &mut WorkerContext) {}

    fn context(scratch: &mut WorkerContext) -> &mut WorkerContext {
        scratch
    }
}

/// A port of two threads, of which one runs at a time, and how often its poll was interrupted.
fn port() -> (Port<Idle>, Arc<AtomicUsize>) {
    let interrupts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interrupts);
    let interrupt = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let port = Port::new(PortSettings {
        number: 0,
        threads: 2,
        max_running: 1,
        counters: Arc::default(),
        generations: Arc::default(),
        interrupt,
    });
    (port, interrupts)
}

fn multi(port: &Port<Idle>) -> &MultiThread<Idle> {
    let Port::MultiThread(port) = port else { panic!("it has several threads") };
    port
}

fn begin(port: &Port<Idle>, thread: ThreadIndex) -> Next<Idle> {
    multi(port).begin(thread, WhenIdle::Sleep)
}

fn polled(port: &Port<Idle>, thread: ThreadIndex, now: u64, events: &[PortEvent]) -> Next<Idle> {
    multi(port).polled(thread, WhenIdle::Sleep, now, events)
}

fn open(port: &Port<Idle>) -> Key {
    let opened = multi(port).open(Idle { due: u64::MAX }, Readiness::NONE);
    opened.unwrap_or_else(|_| panic!("it is closed"))
}

/// Asserts that the thread runs this key.
fn runs(next: Next<Idle>, key: Key) {
    match next {
        Next::Run(turn) => assert_eq!(turn.key, key),
        Next::Poll { .. } | Next::Parked | Next::End => panic!("it does not run"),
    }
}

fn polls(next: &Next<Idle>) -> u64 {
    match next {
        Next::Poll { until } => *until,
        Next::Run(_) | Next::Parked | Next::End => panic!("it does not poll"),
    }
}

/// The turn of the key is over, and it waits; it is due then.
fn waits(port: &Port<Idle>, thread: ThreadIndex, key: Key, due: u64) -> Next<Idle> {
    let turned = FinishedTurn { key, task: Some(Idle { due }), again: false };
    multi(port).turned(thread, WhenIdle::Sleep, turned)
}

/// Thread 0 runs the first of these, and thread 1 sleeps in its poll.
fn busy(port: &Port<Idle>) -> [Key; 2] {
    let keys = [open(port), open(port)];
    assert_eq!(polls(&begin(port, 0)), 0);
    runs(polled(port, 0, 0, &[]), keys[0]);
    runs(waits(port, 0, keys[0], u64::MAX), keys[1]);
    assert_eq!(polls(&begin(port, 1)), u64::MAX);
    port.wake(keys[0]);
    runs(waits(port, 0, keys[1], u64::MAX), keys[0]);
    keys
}

#[test]
fn r3_events_that_find_the_cap_reached_call_the_watchdog() {
    let (port, _) = port();
    let [_, second] = busy(&port);
    // From here on, so that it has not been called before.
    let alarm = Arc::default();
    port.set_alarm(&alarm);
    assert_eq!(
        polls(&polled(&port, 1, 1, &[PortEvent { key: second, readiness: Readiness::READ }])),
        u64::MAX
    );
    assert!(alarm.is_fast());
}

#[test]
fn r3_the_thread_that_polls_is_called_when_the_other_one_blocks() {
    let (port, interrupts) = port();
    let [_, second] = busy(&port);
    port.wake(second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 0);
    let mut running = Vec::new();
    port.running(&mut running);
    assert!(port.block(0, running[0].turn, Blocked::Observed));
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    runs(polled(&port, 1, 1, &[]), second);
}

#[test]
fn x6_a_deadline_before_the_end_of_the_poll_interrupts_it() {
    let (port, interrupts) = port();
    let [first, second] = busy(&port);
    port.wake(second);
    runs(waits(&port, 0, first, 50), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    assert_eq!(polls(&polled(&port, 1, 1, &[])), 50);
    // A later one does not.
    port.wake(first);
    runs(waits(&port, 0, second, 60), first);
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    port.wake(second);
    runs(waits(&port, 0, first, 40), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 2);
    assert_eq!(polls(&polled(&port, 1, 2, &[])), 40);
}

#[test]
fn x6_a_deadline_that_passes_while_its_key_runs_is_not_forgotten() {
    let (port, interrupts) = port();
    let [first, second] = busy(&port);
    port.wake(second);
    runs(waits(&port, 0, first, 50), second);
    port.wake(first);
    runs(waits(&port, 0, second, u64::MAX), first);
    assert_eq!(polls(&polled(&port, 1, 1, &[])), 50);
    // Its entry comes up and goes.
    assert_eq!(polls(&polled(&port, 1, 50, &[])), u64::MAX);
    let before = interrupts.load(Ordering::Relaxed);
    port.wake(second);
    runs(waits(&port, 0, first, 50), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), before + 1);
    // Its deadline passed before: it has a turn as soon as a thread may run it.
    assert_eq!(polls(&polled(&port, 1, 51, &[])), u64::MAX);
    runs(waits(&port, 0, second, u64::MAX), first);
}

#[test]
fn x8_a_thread_that_dies_in_its_poll_gives_up_the_role() {
    let (port, _) = port();
    assert_eq!(polls(&begin(&port, 0)), u64::MAX);
    assert_eq!(port.thread_died(0), None);
    multi(&port).shared.locked(|port| assert!(!port.core().polls(0)));
    // Its successor does not wait for itself.
    assert_eq!(polls(&begin(&port, 0)), u64::MAX);
}
