//! A port whose only thread is this one. A test plans what its turns do, and sees afterwards which
//! turns there were.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::Ended;
use crate::scheduler::port::{Slots, Walk};

mod script;

use script::{Does, Script, Thread, single};

#[test]
fn r2_events_run_in_their_order() {
    let (mut thread, keys) = Thread::new(3);
    let events =
        [(keys[2], Readiness::READ), (keys[0], Readiness::WRITE), (keys[1], Readiness::READ)];
    assert_eq!(thread.poll(&events, &[]), events);
}

#[test]
fn r6_what_is_posted_meanwhile_comes_after_the_events() {
    let (mut thread, keys) = Thread::new(3);
    let events = [(keys[0], Readiness::READ), (keys[1], Readiness::READ)];
    assert_eq!(thread.poll(&events, &[Does::Posts(keys[2]), Does::Posts(keys[0])]), events);
    assert_eq!(thread.interrupts(), 0, "it is awake");
    assert_eq!(thread.sleeps_until(), Some(0));
    assert_eq!(thread.poll(&[], &[]), [(keys[2], Readiness::NONE), (keys[0], Readiness::NONE)]);
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
}

#[test]
fn r6_a_thread_that_sleeps_is_woken_once() {
    let (mut thread, keys) = Thread::new(2);
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
    for key in &keys {
        thread.wake(*key);
        thread.wake(*key);
    }
    assert_eq!(thread.interrupts(), 1);
    let event = (keys[1], Readiness::READ);
    let turns = thread.poll(&[event], &[]);
    assert_eq!(turns, [event, (keys[0], Readiness::NONE), (keys[1], Readiness::NONE)]);
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
}

#[test]
fn x1_a_packet_for_the_one_that_runs_makes_it_run_once_more() {
    let (mut thread, keys) = Thread::new(1);
    let event = (keys[0], Readiness::READ);
    assert_eq!(thread.poll(&[event], &[Does::Posts(keys[0])]), [event]);
    assert_eq!(thread.sleeps_until(), Some(0));
    assert_eq!(thread.poll(&[], &[]), [(keys[0], Readiness::NONE)]);
}

#[test]
fn x4_who_had_its_share_goes_behind_those_that_had_none() {
    let (mut thread, keys) = Thread::new(3);
    thread.wake(keys[2]);
    assert_eq!(thread.sleeps_until(), Some(0));
    let events = [(keys[0], Readiness::READ), (keys[1], Readiness::READ)];
    let turns = thread.poll(&events, &[Does::Again, Does::Again]);
    assert_eq!(turns, [events[0], events[1], (keys[2], Readiness::NONE)]);
    assert_eq!(thread.sleeps_until(), Some(0));
    assert_eq!(thread.poll(&[], &[]), [(keys[0], Readiness::NONE), (keys[1], Readiness::NONE)]);
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
}

#[test]
fn x5_an_event_for_one_that_is_gone_is_dropped_and_counted() {
    let (mut thread, keys) = Thread::new(2);
    let event = (keys[0], Readiness::READ);
    let other = (keys[1], Readiness::READ);
    assert_eq!(thread.poll(&[event, event, other], &[Does::Ends]), [event, other]);
    assert_eq!(thread.scratch.ended, [(keys[0], Ended::Done)]);
    thread.wake(keys[0]);
    assert_eq!(thread.poll(&[], &[]), []);
    let stats =
        single(&thread.port()).common.counters.snapshot(crate::stats::Accounting::default());
    assert_eq!(stats.stale, 2);
}

#[test]
fn x6_deadlines_come_up_when_they_pass() {
    let (mut thread, keys) = Thread::new(2);
    let events = [(keys[0], Readiness::READ), (keys[1], Readiness::READ)];
    thread.poll(&events, &[Does::WaitsUntil(50), Does::WaitsUntil(20)]);
    assert_eq!(thread.sleeps_until(), Some(20));
    // One deadline is moved before it passes: its entry comes up, and no turn runs.
    thread.poll(&events[1..], &[Does::WaitsUntil(90)]);
    thread.now = 20;
    assert_eq!(thread.poll(&[], &[]), []);
    assert_eq!(thread.sleeps_until(), Some(50));
    thread.now = 95;
    assert_eq!(thread.poll(&[], &[]), [(keys[0], Readiness::NONE), (keys[1], Readiness::NONE)]);
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
}

#[test]
fn x8_a_panic_ends_one_connection_and_the_others_have_their_events() {
    let (mut thread, keys) = Thread::new(4);
    let events: Vec<_> = keys[..3].iter().map(|key| (*key, Readiness::READ)).collect();
    thread.wake(keys[3]);
    let plan = [Does::Waiting, Does::Panics, Does::Panics, Does::Panics];
    let turns = thread.poll(&events, &plan);
    assert_eq!(turns, [&events[..], &[(keys[3], Readiness::NONE)]].concat());
    let over: Vec<_> = keys[1..].iter().map(|key| (*key, Ended::Panicked)).collect();
    assert_eq!(thread.scratch.ended, over);
    assert_eq!(thread.poll(&events[..1], &[]), events[..1]);
}

#[test]
fn r5_when_the_port_is_closed_what_is_queued_has_no_turn() {
    let (mut thread, keys) = Thread::new(3);
    for key in &keys {
        thread.wake(*key);
    }
    assert_eq!(thread.sleeps_until(), Some(0));
    assert_eq!(thread.poll(&[], &[Does::Waiting, Does::Closes]).len(), 2);
    assert_eq!(thread.sleeps_until(), None);
    assert!(thread.port().open(Script { due: u64::MAX }, Readiness::NONE).is_err());
    assert_eq!(thread.port().thread_ended().map(|left| left.len()), Some(3));
}

#[test]
fn x7_what_comes_from_elsewhere_is_counted_at_once_and_has_its_turn() {
    let (mut thread, _) = Thread::new(1);
    let port = thread.port();
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
    assert!(port.open(Script { due: u64::MAX }, Readiness::WRITE).is_ok());
    assert_eq!((port.load(), thread.interrupts()), (2, 1));
    assert_eq!(thread.sleeps_until(), Some(0));
    let turns = thread.poll(&[], &[]);
    assert!(matches!(turns[..], [(_, Readiness::WRITE)]), "{turns:?}");
    // A connection that the thread has not taken is among the remaining ones.
    assert!(port.open(Script { due: u64::MAX }, Readiness::NONE).is_ok());
    assert_eq!(port.thread_ended().map(|left| left.len()), Some(3));
    assert_eq!(port.load(), 0);
}

#[test]
fn r3_the_watchdog_does_not_sleep_while_the_thread_is_about_to_run() {
    use crate::scheduler::observe::Observe;

    let (mut thread, _) = Thread::new(1);
    let port = thread.port();
    assert!(!port.is_up(), "it sleeps");
    thread.takes_injected();
    // The thread may run turns, and has not begun one.
    assert!(!port.running(&mut Vec::new()) && port.is_up());
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
    assert!(!port.is_up());
}

#[test]
fn x7_whatever_is_taken_up_while_the_thread_ends_is_among_what_is_left() {
    for _ in 0..300 {
        let (thread, _) = Thread::new(0);
        let port = thread.port();
        port.close();
        let (given, left) = std::thread::scope(|scope| {
            let gives = || {
                let tries = 0..200;
                tries.filter(|_| port.submit(Script { due: u64::MAX }).is_ok()).count()
            };
            let gives = [(); 3].map(|()| scope.spawn(gives));
            let left = port.thread_ended().map_or(0, |left| left.len());
            (gives.map(|gives| gives.join().unwrap_or(0)).into_iter().sum::<usize>(), left)
        });
        assert_eq!(given, left);
    }
}

/// A linear congruential generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// Events for about a third of the keys.
    fn events(&mut self, keys: &[Key]) -> Vec<(Key, Readiness)> {
        let has_event = keys.iter().filter(|_| self.below(3) == 0).copied().collect::<Vec<_>>();
        let ready = [Readiness::READ, Readiness::WRITE];
        has_event.into_iter().map(|key| (key, ready[self.below(2)])).collect()
    }

    fn plan(&mut self, keys: &[Key]) -> Vec<Does> {
        let does = (0..20).map(|_| match self.below(12) {
            0 => Does::Ends,
            1 => Does::Panics,
            2 | 3 => Does::Again,
            4 => Does::Posts(keys[self.below(keys.len())]),
            _ => Does::Waiting,
        });
        does.collect()
    }
}

/// The readiness of all events for each key.
fn by_key(events: &[(Key, Readiness)]) -> HashMap<Key, Readiness> {
    let mut all: HashMap<Key, Readiness> = HashMap::new();
    for (key, ready) in events {
        let before = all.entry(*key).or_default();
        *before = *before | *ready;
    }
    all
}

/// Runs a round with random packets, events and turns. `injected` has the keys that got a packet in the
/// round before; afterwards it has those that got one in this round.
fn random_round(
    random: &mut Random,
    thread: &mut Thread,
    keys: &mut Vec<Key>,
    injected: &mut Vec<Key>,
) {
    for _ in 0..random.below(3) {
        let key = keys[random.below(keys.len())];
        thread.wake(key);
        injected.push(key);
    }
    assert!(thread.sleeps_until().is_some());
    let (events, plan) = (random.events(keys), random.plan(keys));
    let turns = thread.poll(&events, &plan);
    for (key, _) in std::mem::take(&mut thread.scratch.ended) {
        keys.retain(|other| *other != key);
    }
    let heard = by_key(&turns);
    for (key, ready) in by_key(&events).into_iter().filter(|(key, _)| keys.contains(key)) {
        assert_eq!(heard.get(&key), Some(&ready), "an event of this round");
    }
    for key in injected.drain(..).filter(|key| keys.contains(key)) {
        assert!(heard.contains_key(&key), "a packet from before");
    }
    let posted = turns.iter().zip(&plan).filter_map(|((key, _), does)| match does {
        Does::Again => Some(*key),
        Does::Posts(other) => Some(*other),
        _ => None,
    });
    injected.extend(posted.filter(|key| keys.contains(key)));
}

/// Each connection has a turn for each event and packet, in the next round at the latest, whatever happens.
#[test]
fn x1_x3_no_event_and_no_packet_is_lost() {
    let mut random = Random(1);
    for _ in 0..300 {
        let (mut thread, mut keys) = Thread::new(6);
        let mut injected = Vec::new();
        for _ in 0..40 {
            if !keys.is_empty() {
                random_round(&mut random, &mut thread, &mut keys, &mut injected);
            }
        }
    }
}

#[test]
fn r6_what_is_injected_is_taken_in_the_same_round() {
    let (mut thread, _) = Thread::new(0);
    let port = thread.port();
    for _ in 0..2 {
        assert!(port.submit(Script { due: u64::MAX }).is_ok());
    }
    // The thread is woken once, and asks when both have had their turn.
    assert_eq!(thread.interrupts(), 1);
    let plan = [Does::WaitsUntil(70), Does::WaitsUntil(60)];
    let turns = thread.poll(&[], &plan);
    assert_eq!((turns.len(), port.load()), (2, 2));
    assert_eq!(thread.sleeps_until(), Some(60));
    // A packet for a thread that is awake keeps it from sleeping, and interrupts no poll.
    thread.takes_injected();
    thread.wake(turns[0].0);
    assert_eq!((thread.sleeps_until(), thread.interrupts()), (Some(0), 0));
    assert_eq!(thread.poll(&[], &[Does::WaitsUntil(70)]), turns[..1]);
    assert_eq!(thread.sleeps_until(), Some(60));
    // A job that comes too late is not lost.
    assert!(port.submit(Script { due: 50 }).is_ok());
    port.close();
    assert_eq!(thread.sleeps_until(), None);
    assert_eq!(port.thread_ended().map(|rest| rest.len()), Some(3));
    assert!(port.submit(Script { due: 50 }).is_err());
    assert_eq!(port.load(), 0);
}

/// A source of events with a bug.
struct Broken;

impl EventSource for Broken {
    fn events(&mut self, _: impl FnMut(Key, Readiness)) {
        panic!("as planned");
    }
}

#[test]
fn x8_after_a_bug_of_the_runtime_all_look_for_the_events_that_are_lost() {
    let (mut thread, keys) = Thread::new(2);
    let port = thread.port();
    let Thread { scratch, time, .. } = &mut thread;
    let mut executor = Executor { pool: "test", scratch, time };
    let run = || single(&port).run_events(&mut Broken, &mut executor);
    assert!(caught(run).is_none());
    // The panic came between two turns.
    assert_eq!(port.thread_died(ONLY_THREAD), None);
    assert_eq!(thread.sleeps_until(), Some(0));
    let ready = Readiness::READ | Readiness::WRITE;
    assert_eq!(thread.poll(&[], &[]), [(keys[0], ready), (keys[1], ready)]);
}

#[test]
fn x8_the_key_that_runs_is_lost_with_its_thread() {
    let (mut thread, keys) = Thread::new(2);
    let port = thread.port();
    thread.scratch.context.status.begin_turn(keys[0]);
    assert_eq!((port.thread_died(ONLY_THREAD), port.load()), (Some(keys[0]), 1));
    assert_eq!(thread.sleeps_until(), Some(0));
    let turns = thread.poll(&[], &[]);
    assert_eq!(turns, [(keys[1], Readiness::READ | Readiness::WRITE)]);
}

/// A walk of so many steps, which notes the number of slots in each.
struct Steps {
    left: usize,
    seen: Arc<Mutex<Vec<usize>>>,
    abandoned: bool,
}

impl Walk<Script> for Steps {
    fn step(&mut self, slots: &mut Slots<'_, Script>) -> bool {
        let open = (0..slots.bound()).filter(|slot| slots.at(*slot).is_some()).count();
        self.seen.lock().unwrap().push(open);
        self.left -= 1;
        self.left > 0
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned
    }
}

#[test]
fn v1_a_walk_is_asked_for_by_a_packet_that_nobody_has_and_goes_on_between_turns() {
    let (mut thread, keys) = Thread::new(2);
    let seen = Arc::<Mutex<Vec<usize>>>::default();
    let walk = |abandoned| Box::new(Steps { left: 2, seen: Arc::clone(&seen), abandoned });
    // Without a walk the queue is all that the thread looks at.
    assert!(thread.poll(&[], &[]).is_empty() && seen.lock().unwrap().is_empty());
    assert_eq!(thread.sleeps_until(), Some(u64::MAX));
    thread.port().walk(walk(false));
    thread.port().walk(walk(true));
    thread.port().walk(walk(false));
    assert_eq!(thread.interrupts(), 1);
    assert_eq!(single(&thread.port()).walks().len(), 2, "the abandoned one made room");
    let event = (keys[0], Readiness::READ);
    assert_eq!(thread.poll(&[event], &[Does::Ends]), [event]);
    assert_eq!(*seen.lock().unwrap(), [1, 1]);
    assert_eq!(thread.sleeps_until(), Some(0), "they go on after a poll");
    let event = (keys[1], Readiness::READ);
    assert_eq!(thread.poll(&[event], &[]), [event]);
    assert_eq!((seen.lock().unwrap().len(), thread.sleeps_until()), (4, Some(u64::MAX)));
    let port = thread.port();
    let stats = single(&port).common.counters.snapshot(crate::stats::Accounting::default());
    assert_eq!(stats.stale, 0, "it is no stale packet");
    // A thread that ends drops the walks, and takes no more.
    port.walk(walk(false));
    single(&port).close();
    assert_eq!(thread.sleeps_until(), None);
    assert_eq!(port.thread_ended().map(|tasks| tasks.len()), Some(1));
    port.walk(walk(false));
    assert_eq!((Arc::strong_count(&seen), seen.lock().unwrap().len()), (1, 4));
}
