//! The rules R1-R6 and X1, X2, X4, X5, each as a test, and all of them on random histories against
//! models that are too simple to be wrong: one of a port of several threads, and one of the short
//! ways that the only thread of a port takes.

use super::*;

mod histories;
mod history;
mod model;
mod single_thread;
mod steps;

use histories::{History, histories};

/// A core with `threads` threads that wait, of which the first one polls, and `keys` connections.
fn port(max_running: usize, threads: usize, keys: usize) -> (PortCore<()>, Vec<Key>) {
    let mut core = PortCore::new(0, max_running, Arc::default());
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Poll { thread: 0, wait: true });
    for thread in 1..threads {
        assert_eq!(core.handle(PortInput::Take(thread)), Effect::Park(thread));
    }
    let keys = (0..keys).map(|_| core.open(())).collect();
    (core, keys)
}

#[test]
fn r1_a_packet_goes_to_the_most_recent_waiter() {
    let (mut core, keys) = port(2, 4, 3);
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::Run(3, keys[0]));
    assert_eq!(core.handle(PortInput::Post(keys[1])), Effect::Run(2, keys[1]));
    // `max_running` threads are active: it waits in the queue, although a thread is idle.
    assert_eq!(core.handle(PortInput::Post(keys[2])), Effect::None);
    assert_eq!(core.queue, [keys[2]]);
}

#[test]
fn x5_a_reserved_key_finds_nothing_until_it_has_its_slot() {
    let (mut core, keys) = port(1, 1, 1);
    let (over, stays) = (core.reserve(), core.reserve());
    // They would have the same slot, one after the other.
    assert_eq!(over.slot(), stays.slot());
    assert_eq!(core.handle(PortInput::Post(stays)), Effect::Stale);
    core.open_at(stays, ());
    assert!(
        core.slot_of(stays).is_some()
            && core.slot_of(over).is_none()
            && core.slot_of(keys[0]).is_some()
    );
    assert_eq!(core.handle(PortInput::Post(over)), Effect::Stale);
}

#[test]
fn r2_a_thread_that_asks_goes_on_without_sleeping() {
    let (mut core, keys) = port(1, 2, 2);
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::Run(1, keys[0]));
    assert_eq!(core.handle(PortInput::Post(keys[1])), Effect::None);
    core.handle(PortInput::Done { key: keys[0], again: false });
    assert_eq!(core.handle(PortInput::Take(1)), Effect::Run(1, keys[1]));
    core.handle(PortInput::Done { key: keys[1], again: false });
    assert_eq!(core.handle(PortInput::Take(1)), Effect::Park(1));
}

#[test]
fn r3_a_thread_that_blocks_gives_its_place_to_a_waiter() {
    let (mut core, keys) = port(1, 3, 2);
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::Run(2, keys[0]));
    assert_eq!(core.handle(PortInput::Post(keys[1])), Effect::None);
    assert_eq!(core.handle(PortInput::Block), Effect::Run(1, keys[1]));
}

#[test]
fn r4_the_cap_is_exceeded_until_a_thread_asks_again() {
    let (mut core, keys) = port(1, 3, 3);
    core.handle(PortInput::Post(keys[0]));
    core.handle(PortInput::Post(keys[1]));
    core.handle(PortInput::Post(keys[2]));
    assert_eq!(core.handle(PortInput::Block), Effect::Run(1, keys[1]));
    core.handle(PortInput::Unblock);
    assert_eq!(core.active, 2);
    // The third packet must wait for both.
    core.handle(PortInput::Done { key: keys[0], again: false });
    assert_eq!(core.handle(PortInput::Take(2)), Effect::Park(2));
    core.handle(PortInput::Done { key: keys[1], again: false });
    assert_eq!(core.handle(PortInput::Take(1)), Effect::Run(1, keys[2]));
}

#[test]
fn r5_close_ends_everyone_who_asks() {
    let (mut core, keys) = port(1, 2, 1);
    core.handle(PortInput::Post(keys[0]));
    assert_eq!(core.handle(PortInput::Close), Effect::Closed);
    assert_eq!(core.handle(PortInput::Take(1)), Effect::Closed);
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Closed);
    core.handle(PortInput::Done { key: keys[0], again: false });
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::None);
}

#[test]
fn r6_posts_share_the_queue_with_events() {
    let (mut core, keys) = port(1, 1, 3);
    core.handle(PortInput::Event(keys[0]));
    core.handle(PortInput::Post(keys[1]));
    core.handle(PortInput::Event(keys[2]));
    assert_eq!(core.queue, [keys[0], keys[1], keys[2]]);
}

#[test]
fn r6_a_post_wakes_a_lone_thread_from_its_poll_once() {
    let (mut core, keys) = port(1, 1, 2);
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::Interrupt(0));
    assert_eq!(core.handle(PortInput::Post(keys[1])), Effect::None);
}

#[test]
fn x1_an_event_for_a_running_key_makes_one_more_turn() {
    let (mut core, keys) = port(2, 3, 1);
    assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::Run(2, keys[0]));
    for _ in 0..3 {
        assert_eq!(core.handle(PortInput::Post(keys[0])), Effect::None);
    }
    core.handle(PortInput::Done { key: keys[0], again: false });
    assert_eq!(core.handle(PortInput::Take(2)), Effect::Run(2, keys[0]));
    core.handle(PortInput::Done { key: keys[0], again: false });
    assert_eq!(core.handle(PortInput::Take(2)), Effect::Park(2));
}

#[test]
fn x2_a_follower_polls_before_a_handler_runs() {
    let (mut core, keys) = port(1, 2, 1);
    core.handle(PortInput::Event(keys[0]));
    assert_eq!(core.handle(PortInput::Polled(0)), Effect::Poll { thread: 1, wait: true });
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Run(0, keys[0]));
}

#[test]
fn x2_nobody_is_woken_when_there_is_nothing_to_run() {
    let (mut core, _) = port(1, 2, 0);
    assert_eq!(core.handle(PortInput::Polled(0)), Effect::None);
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Poll { thread: 0, wait: true });
}

#[test]
fn x4_a_greedy_key_goes_to_the_tail_and_the_poll_gets_its_turn() {
    let (mut core, keys) = port(1, 1, 2);
    core.handle(PortInput::Event(keys[0]));
    core.handle(PortInput::Event(keys[1]));
    core.handle(PortInput::Polled(0));
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Run(0, keys[0]));
    core.handle(PortInput::Done { key: keys[0], again: true });
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Run(0, keys[1]));
    core.handle(PortInput::Done { key: keys[1], again: false });
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Poll { thread: 0, wait: false });
    core.handle(PortInput::Polled(0));
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Run(0, keys[0]));
}

#[test]
fn x5_pitfall_9_an_event_for_a_slot_that_was_used_again_is_dropped_and_counted() {
    let (mut core, keys) = port(1, 1, 1);
    core.handle(PortInput::Polled(0));
    core.close(keys[0]);
    // Within the batch the slot stays empty.
    let other = core.open(());
    assert_ne!(other.index(), keys[0].index());
    assert_eq!(core.handle(PortInput::Event(keys[0])), Effect::Stale);
    // After the next one, the slot is used again, for another key.
    assert_eq!(core.handle(PortInput::Take(0)), Effect::Poll { thread: 0, wait: true });
    assert_eq!(core.handle(PortInput::Event(keys[0])), Effect::Stale);
    core.handle(PortInput::Polled(0));
    let next = core.open(());
    assert_eq!(next.index(), keys[0].index());
    assert_ne!(next, keys[0]);
    assert_eq!(core.handle(PortInput::Event(keys[0])), Effect::Stale);
    assert!(core.get_mut(keys[0]).is_none());
    assert!(core.queue.is_empty());
}

#[test]
fn x5_slots_are_used_again_though_nobody_polls() {
    let (mut core, _) = port(1, 1, 0);
    for _ in 0..10 * MAX_FREED {
        let key = core.open(());
        assert_eq!(core.close(key), Some(()));
        assert!(core.freed.len() < MAX_FREED && core.slots.capacity() <= 2 * MAX_FREED);
    }
    core.handle(PortInput::Polled(0));
    assert!(core.freed.is_empty() && core.slots.is_empty());
}

/// The parts of the code that come from elsewhere: what `use` names, and whole paths.
fn imports(code: &str) -> Vec<&str> {
    let code = code.split("#[cfg(test)]\n#[path").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines
        .filter_map(|line| {
            let used = line.strip_prefix("use ").map(|path| path.trim_end_matches(';'));
            let path = ["std::", "crate::", "mio::"].iter().find_map(|root| line.find(root));
            used.or_else(|| path.map(|at| &line[at..]))
        })
        .collect()
}

#[test]
fn x12_the_core_knows_no_threads_clocks_locks_or_sockets() {
    let allowed = [
        "std::collections::VecDeque",
        // The ports of a process share one counter of generations, so that a key of one pool names
        // nothing in another one.
        "std::sync::Arc",
        "slab::Slab",
        "crate::key::{Generations, Key, SLOTS}",
    ];
    assert_eq!(imports(include_str!("../port_core.rs")), allowed);
}

#[test]
fn x12_the_same_inputs_have_the_same_effects() {
    let run = || {
        let (mut core, keys) = port(2, 4, 3);
        let number = |key| keys.iter().position(|known| *known == key).unwrap();
        let inputs = [
            PortInput::Post(keys[0]),
            PortInput::Event(keys[1]),
            PortInput::Event(keys[2]),
            PortInput::Polled(0),
            PortInput::Take(0),
            PortInput::Block,
            PortInput::Post(keys[0]),
            PortInput::Unblock,
            PortInput::Done { key: keys[0], again: false },
            PortInput::Take(3),
            PortInput::Release,
            PortInput::Close,
        ];
        inputs.map(|input| match core.handle(input) {
            Effect::Run(thread, key) => format!("thread {thread} runs {}", number(key)),
            effect => format!("{effect:?}"),
        })
    };
    let first = run();
    assert!(first.iter().any(|effect| effect.ends_with("runs 2")), "{first:?}");
    for _ in 0..10 {
        assert_eq!(run(), first);
    }
}

#[test]
fn r1_to_r6_and_x1_x2_x4_x5_hold_on_random_histories() {
    run_histories::<history::MultiThread>();
}

#[test]
fn r2_r6_x1_x5_hold_on_random_histories_of_a_single_thread() {
    run_histories::<single_thread::SingleThread>();
}

/// As many as a debug build does in a few seconds; `.ci/run` has a release build do more.
fn run_histories<H: History>() {
    let count = std::env::var("FSM_HISTORIES").map_or(40_000, |count| count.parse().unwrap());
    let first = std::env::var("FSM_SEED").map_or(1, |seed| seed.parse().unwrap());
    histories::<H>(first..first + count);
}
