//! A port whose threads are all this one: each call is what a thread of that number does.

use super::*;
use crate::scheduler::observe::{BlockTracker, Observe};
use crate::scheduler::shared::Blocked;
use crate::scheduler::task::{TurnOutcome, WorkerContext};
use crate::{Ended, Spec, Starts};

/// It does nothing; the test says how each turn ends.
struct Idle {
    due: u64,
}

impl Task for Idle {
    type Scratch = WorkerContext;
    const SPEC: &'static Spec = &Spec {
        name: "Idle",
        docs: "",
        start: 0,
        states: &[],
        messages: false,
        starts: Starts::Connection,
    };

    fn turn(&mut self, _: Key, _: Readiness, _: &mut WorkerContext) -> TurnOutcome {
        TurnOutcome::Wait
    }

    fn due(&self) -> u64 {
        self.due
    }

    fn state(&self) -> usize {
        0
    }

    fn cut_off(&mut self) {}

    fn over(self, _: Key, _: Ended, _: &mut WorkerContext) {}

    fn recover(&mut self, _: &mut WorkerContext) {}

    fn context(scratch: &mut WorkerContext) -> &mut WorkerContext {
        scratch
    }
}

/// A port of two threads and a cap of one, and how often its poll was interrupted.
fn port() -> (Port<Idle>, Arc<AtomicUsize>) {
    let interrupts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interrupts);
    let interrupt = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    (Port::new(0, (2, 1), Arc::default(), interrupt), interrupts)
}

fn open(port: &Port<Idle>) -> Key {
    let task = Idle { due: u64::MAX };
    port.shared.locked(|locked| {
        let opened = Port::open_locked(locked, task, Readiness::NONE);
        let Ok(key) = opened else { panic!("it is closed") };
        locked.on(Input::Post(key));
        key
    })
}

/// That the thread runs this key.
fn runs(next: Next<Idle>, key: Key) {
    match next {
        Next::Run(turn) => assert_eq!(turn.key, key),
        Next::Poll { .. } | Next::End => panic!("it does not run"),
    }
}

fn polls(next: &Next<Idle>) -> u64 {
    match next {
        Next::Poll { until } => *until,
        Next::Run(_) | Next::End => panic!("it does not poll"),
    }
}

/// The turn of the key is over; it is due then.
fn driver(port: &Port<Idle>, thread: Thread, key: Key, due: u64) -> Next<Idle> {
    port.turned(thread, key, Some(Idle { due }), Left::Waiting)
}

/// Thread 0 runs the first of these, and thread 1 sleeps in its poll.
fn busy(port: &Port<Idle>) -> [Key; 2] {
    let keys = [open(port), open(port)];
    assert_eq!(polls(&port.begin(0)), 0);
    runs(port.polled(0, 0, &[]), keys[0]);
    runs(driver(port, 0, keys[0], u64::MAX), keys[1]);
    assert_eq!(polls(&port.begin(1)), u64::MAX);
    port.wake(keys[0]);
    runs(driver(port, 0, keys[1], u64::MAX), keys[0]);
    keys
}

#[test]
fn r3_events_that_find_the_cap_reached_call_the_watchdog() {
    let (port, _) = port();
    let [_, second] = busy(&port);
    // From here on, so that it has not been called before.
    let alarm = Arc::default();
    port.set_alarm(&alarm);
    assert_eq!(polls(&port.polled(1, 1, &[(second, Readiness::READ)])), u64::MAX);
    assert!(alarm.is_raised());
}

#[test]
fn r3_the_thread_that_polls_is_called_when_the_other_one_blocks() {
    let (port, interrupts) = port();
    let [_, second] = busy(&port);
    port.wake(second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 0);
    let mut running = Vec::new();
    port.running(&mut running);
    assert!(port.block(0, running[0].turn, Blocked::DecodeProgress));
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    runs(port.polled(1, 1, &[]), second);
}

#[test]
fn x6_a_deadline_before_the_end_of_the_poll_interrupts_it() {
    let (port, interrupts) = port();
    let [first, second] = busy(&port);
    port.wake(second);
    runs(driver(&port, 0, first, 50), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    assert_eq!(polls(&port.polled(1, 1, &[])), 50);
    // A later one does not.
    port.wake(first);
    runs(driver(&port, 0, second, 60), first);
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    port.wake(second);
    runs(driver(&port, 0, first, 40), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), 2);
    assert_eq!(polls(&port.polled(1, 2, &[])), 40);
}

#[test]
fn x6_a_deadline_that_passes_while_its_key_runs_is_not_forgotten() {
    let (port, interrupts) = port();
    let [first, second] = busy(&port);
    port.wake(second);
    runs(driver(&port, 0, first, 50), second);
    port.wake(first);
    runs(driver(&port, 0, second, u64::MAX), first);
    assert_eq!(polls(&port.polled(1, 1, &[])), 50);
    // Its entry comes up and goes.
    assert_eq!(polls(&port.polled(1, 50, &[])), u64::MAX);
    let before = interrupts.load(Ordering::Relaxed);
    port.wake(second);
    runs(driver(&port, 0, first, 50), second);
    assert_eq!(interrupts.load(Ordering::Relaxed), before + 1);
    // It is due since: it has a turn as soon as there is room.
    assert_eq!(polls(&port.polled(1, 51, &[])), u64::MAX);
    runs(driver(&port, 0, second, u64::MAX), first);
}

#[test]
fn x8_a_thread_that_dies_in_its_poll_gives_up_the_role() {
    let (port, _) = port();
    assert_eq!(polls(&port.begin(0)), u64::MAX);
    assert_eq!(port.lost(0), None);
    port.shared.locked(|port| assert!(!port.core().polls(0)));
    // Its successor does not wait for itself.
    assert_eq!(polls(&port.begin(0)), u64::MAX);
}

/// The only thread of a port, which has nothing to tell of.
struct Quiet;

impl EventSource for Quiet {
    fn events(&mut self, _: &mut usize, _: impl FnMut(Key, Readiness)) {}
}

/// What a thread that is alone does between two polls.
fn round(
    port: &Port<Idle>,
    injected: &mut Injected<Idle>,
    context: &mut WorkerContext,
) -> Next<Idle> {
    port.take_injected(injected);
    port.serve_events("idle", &mut Quiet, context, |_| {});
    port.serve_queue("idle", (0, injected), context, |_| {});
    port.next_single_threaded()
}

#[test]
fn r6_what_is_posted_to_a_thread_that_is_alone_is_taken_in_the_same_round() {
    let interrupts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&interrupts);
    let interrupt = Box::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let port = Arc::new(Port::<Idle>::new(0, (1, 1), Arc::default(), interrupt));
    let tracker: Arc<dyn BlockTracker> = Arc::<Port<Idle>>::clone(&port);
    let mut context = WorkerContext::new(tracker, 0, port.status(0), Arc::new([]));
    let mut injected = Injected::default();
    assert_eq!(polls(&port.next_single_threaded()), u64::MAX);
    for due in [70, 60] {
        assert!(port.give(Idle { due }).is_ok());
    }
    // It is woken once, and asks when both have had their turn.
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    assert_eq!(polls(&round(&port, &mut injected, &mut context)), 60);
    let keys: Vec<Key> = port.shared.locked(|port| port.core().keys().collect());
    assert_eq!((keys.len(), port.load()), (2, 2));
    // What comes while it is awake keeps it from sleeping, and wakes nobody.
    port.take_injected(&mut injected);
    port.wake(keys[0]);
    assert_eq!(polls(&port.next_single_threaded()), 0);
    assert_eq!(interrupts.load(Ordering::Relaxed), 1);
    assert_eq!(polls(&round(&port, &mut injected, &mut context)), 60);
    // A job that comes too late is not lost.
    assert!(port.give(Idle { due: 50 }).is_ok());
    port.close();
    assert!(matches!(port.next_single_threaded(), Next::End));
    assert_eq!(port.leave().map(|rest| rest.len()), Some(3));
    assert!(port.give(Idle { due: 50 }).is_err());
    assert_eq!(port.load(), 0);
}

/// With eight bytes in the timers, and nothing else: no box, no buffer.
#[test]
#[cfg(target_os = "linux")]
fn x13_an_idle_connection_takes_a_slot_of_forty_bytes() {
    /// A machine of a byte, with one deadline.
    struct Unit;
    impl crate::Service for Unit {
        type Job = ();
        type Reply = ();
    }
    type Idle = crate::connection::ConnectionTask<
        crate::job::one_step::OneStep<Unit>,
        (),
        crate::net::socket::Socket,
    >;
    assert_eq!(PortCore::<Slot<Idle>>::SLOT, 40);
}
