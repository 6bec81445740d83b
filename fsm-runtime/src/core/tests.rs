//! The rules R1-R6 and X1, X2, X4, X5, each as a test, and all of them on random histories against
//! a model that is too simple to be wrong.

use std::collections::HashSet;

use super::*;

/// A core with `threads` threads that wait, of which the first one polls, and `keys` connections.
fn port(cap: usize, threads: usize, keys: usize) -> (PortCore<()>, Vec<Key>) {
    let mut core = PortCore::new(0, cap);
    assert_eq!(core.on(Input::Take(0)), Effect::Poll { thread: 0, wait: true });
    for thread in 1..threads {
        assert_eq!(core.on(Input::Take(thread)), Effect::Park(thread));
    }
    let keys = (0..keys).map(|_| core.open(())).collect();
    (core, keys)
}

#[test]
fn r1_a_packet_goes_to_the_most_recent_waiter() {
    let (mut core, keys) = port(2, 4, 3);
    assert_eq!(core.on(Input::Post(keys[0])), Effect::Run(3, keys[0]));
    assert_eq!(core.on(Input::Post(keys[1])), Effect::Run(2, keys[1]));
    // The cap is reached: it waits in the queue, although a thread is idle.
    assert_eq!(core.on(Input::Post(keys[2])), Effect::None);
    assert_eq!(core.queue, [keys[2]]);
}

#[test]
fn r2_a_thread_that_asks_goes_on_without_sleeping() {
    let (mut core, keys) = port(1, 2, 2);
    assert_eq!(core.on(Input::Post(keys[0])), Effect::Run(1, keys[0]));
    assert_eq!(core.on(Input::Post(keys[1])), Effect::None);
    core.on(Input::Done { key: keys[0], again: false });
    assert_eq!(core.on(Input::Take(1)), Effect::Run(1, keys[1]));
    core.on(Input::Done { key: keys[1], again: false });
    assert_eq!(core.on(Input::Take(1)), Effect::Park(1));
}

#[test]
fn r3_a_thread_that_blocks_gives_its_place_to_a_waiter() {
    let (mut core, keys) = port(1, 3, 2);
    assert_eq!(core.on(Input::Post(keys[0])), Effect::Run(2, keys[0]));
    assert_eq!(core.on(Input::Post(keys[1])), Effect::None);
    assert_eq!(core.on(Input::Block), Effect::Run(1, keys[1]));
}

#[test]
fn r4_the_cap_is_exceeded_until_a_thread_asks_again() {
    let (mut core, keys) = port(1, 3, 3);
    core.on(Input::Post(keys[0]));
    core.on(Input::Post(keys[1]));
    core.on(Input::Post(keys[2]));
    assert_eq!(core.on(Input::Block), Effect::Run(1, keys[1]));
    core.on(Input::Unblock);
    assert_eq!(core.active, 2);
    // The third packet must wait for both.
    core.on(Input::Done { key: keys[0], again: false });
    assert_eq!(core.on(Input::Take(2)), Effect::Park(2));
    core.on(Input::Done { key: keys[1], again: false });
    assert_eq!(core.on(Input::Take(1)), Effect::Run(1, keys[2]));
}

#[test]
fn r5_close_ends_everyone_who_asks() {
    let (mut core, keys) = port(1, 2, 1);
    core.on(Input::Post(keys[0]));
    assert_eq!(core.on(Input::Close), Effect::Closed);
    assert_eq!(core.on(Input::Take(1)), Effect::Closed);
    assert_eq!(core.on(Input::Take(0)), Effect::Closed);
    core.on(Input::Done { key: keys[0], again: false });
    assert_eq!(core.on(Input::Post(keys[0])), Effect::None);
}

#[test]
fn r6_posts_share_the_queue_with_events() {
    let (mut core, keys) = port(1, 1, 3);
    core.on(Input::Event(keys[0]));
    core.on(Input::Post(keys[1]));
    core.on(Input::Event(keys[2]));
    assert_eq!(core.queue, [keys[0], keys[1], keys[2]]);
}

#[test]
fn r6_a_post_wakes_a_lone_thread_from_its_poll_once() {
    let (mut core, keys) = port(1, 1, 2);
    assert_eq!(core.on(Input::Post(keys[0])), Effect::Interrupt(0));
    assert_eq!(core.on(Input::Post(keys[1])), Effect::None);
}

#[test]
fn x1_an_event_for_a_running_key_makes_one_more_turn() {
    let (mut core, keys) = port(2, 3, 1);
    assert_eq!(core.on(Input::Post(keys[0])), Effect::Run(2, keys[0]));
    for _ in 0..3 {
        assert_eq!(core.on(Input::Post(keys[0])), Effect::None);
    }
    core.on(Input::Done { key: keys[0], again: false });
    assert_eq!(core.on(Input::Take(2)), Effect::Run(2, keys[0]));
    core.on(Input::Done { key: keys[0], again: false });
    assert_eq!(core.on(Input::Take(2)), Effect::Park(2));
}

#[test]
fn x2_a_follower_polls_before_a_handler_runs() {
    let (mut core, keys) = port(1, 2, 1);
    core.on(Input::Event(keys[0]));
    assert_eq!(core.on(Input::Polled(0)), Effect::Poll { thread: 1, wait: true });
    assert_eq!(core.on(Input::Take(0)), Effect::Run(0, keys[0]));
}

#[test]
fn x2_nobody_is_woken_when_there_is_nothing_to_run() {
    let (mut core, _) = port(1, 2, 0);
    assert_eq!(core.on(Input::Polled(0)), Effect::None);
    assert_eq!(core.on(Input::Take(0)), Effect::Poll { thread: 0, wait: true });
}

#[test]
fn x4_a_greedy_key_goes_to_the_tail_and_the_poll_gets_its_turn() {
    let (mut core, keys) = port(1, 1, 2);
    core.on(Input::Event(keys[0]));
    core.on(Input::Event(keys[1]));
    core.on(Input::Polled(0));
    assert_eq!(core.on(Input::Take(0)), Effect::Run(0, keys[0]));
    core.on(Input::Done { key: keys[0], again: true });
    assert_eq!(core.on(Input::Take(0)), Effect::Run(0, keys[1]));
    core.on(Input::Done { key: keys[1], again: false });
    assert_eq!(core.on(Input::Take(0)), Effect::Poll { thread: 0, wait: false });
    core.on(Input::Polled(0));
    assert_eq!(core.on(Input::Take(0)), Effect::Run(0, keys[0]));
}

#[test]
fn x5_pitfall_9_an_event_for_a_slot_that_was_used_again_is_dropped_and_counted() {
    let (mut core, keys) = port(1, 1, 1);
    core.on(Input::Polled(0));
    core.close(keys[0]);
    // Within the batch the slot stays empty.
    let other = core.open(());
    assert_ne!(other.index(), keys[0].index());
    assert_eq!(core.on(Input::Event(keys[0])), Effect::Stale);
    // After the next one, the slot is used again, for another key.
    assert_eq!(core.on(Input::Take(0)), Effect::Poll { thread: 0, wait: true });
    assert_eq!(core.on(Input::Event(keys[0])), Effect::Stale);
    core.on(Input::Polled(0));
    let next = core.open(());
    assert_eq!(next.index(), keys[0].index());
    assert_ne!(next, keys[0]);
    assert_eq!(core.on(Input::Event(keys[0])), Effect::Stale);
    assert!(core.get_mut(keys[0]).is_none());
    assert!(core.queue.is_empty());
}

/// A generator of the xorshift family; the seed names the history.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

/// What a thread of a history is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Waits,
    Polls { asleep: bool },
    Runs(Key),
    Blocks(Key),
}

/// A port with its threads, as a driver sees them.
struct History {
    core: PortCore<()>,
    threads: Vec<Doing>,
    keys: Vec<Key>,
    /// The keys that have got a packet since they last began to run.
    owed: HashSet<Key>,
    log: Vec<(Input, Effect)>,
}

impl History {
    fn new(cap: usize, threads: usize, keys: usize) -> Self {
        let mut core = PortCore::new(0, cap);
        let keys = (0..keys).map(|_| core.open(())).collect();
        let threads = vec![Doing::Waits; threads];
        let mut history = Self { core, threads, keys, owed: HashSet::new(), log: Vec::new() };
        for thread in 0..history.threads.len() {
            history.on(Input::Take(thread));
        }
        history
    }

    fn on(&mut self, input: Input) -> Effect {
        let effect = self.core.on(input);
        self.log.push((input, effect));
        match effect {
            Effect::Run(thread, key) => {
                for doing in &self.threads {
                    let exclusive = *doing != Doing::Runs(key) && *doing != Doing::Blocks(key);
                    assert!(exclusive, "X1: {key} runs twice: {:?}", self.log);
                }
                assert!(self.core.active <= self.core.cap, "over the cap: {:?}", self.log);
                self.threads[thread] = Doing::Runs(key);
                self.owed.remove(&key);
            }
            Effect::Poll { thread, wait } => {
                let others = self.threads.iter().enumerate();
                let polls = others.filter(|(_, doing)| matches!(doing, Doing::Polls { .. }));
                assert_eq!(polls.count(), 0, "two threads poll: {:?}", self.log);
                self.threads[thread] = Doing::Polls { asleep: wait };
            }
            Effect::Park(thread) => self.threads[thread] = Doing::Waits,
            Effect::Interrupt(thread) => self.threads[thread] = Doing::Polls { asleep: false },
            Effect::None | Effect::Stale | Effect::Closed => {}
        }
        effect
    }

    fn post(&mut self, key: Key, input: Input) {
        self.owed.insert(key);
        if self.on(input) == Effect::Stale {
            self.owed.remove(&key);
        }
    }

    /// The polling thread comes back with events for these keys.
    fn poll(&mut self, events: &[Key]) {
        let polls = |doing: &Doing| matches!(doing, Doing::Polls { .. });
        let Some(thread) = self.threads.iter().position(polls) else { return };
        self.threads[thread] = Doing::Polls { asleep: false };
        for key in events {
            self.post(*key, Input::Event(*key));
        }
        self.threads[thread] = Doing::Waits;
        self.on(Input::Polled(thread));
        self.on(Input::Take(thread));
        while self.on(Input::Release) != Effect::None {}
    }

    fn finish(&mut self, thread: Thread, again: bool) {
        if let Doing::Runs(key) = self.threads[thread] {
            if again && self.core.get(key).is_some() {
                self.owed.insert(key);
            }
            self.threads[thread] = Doing::Waits;
            self.on(Input::Done { key, again });
            self.on(Input::Take(thread));
        }
    }

    fn count(&self, what: impl Fn(&Doing) -> bool) -> usize {
        self.threads.iter().filter(|doing| what(doing)).count()
    }

    fn check(&self) {
        let runs = self.count(|doing| matches!(doing, Doing::Runs(_)));
        assert_eq!(runs, self.core.active, "{:?}", self.log);
        let waits = self.count(|doing| *doing == Doing::Waits);
        assert_eq!(waits, self.core.waiting.len(), "{:?}", self.log);
        // Work and room under the cap, and yet all who could take it sleep: a lost wake-up.
        let polls_asleep = self.count(|doing| *doing == Doing::Polls { asleep: true });
        let idle = waits + polls_asleep == self.threads.len();
        let lost = idle && !self.core.queue.is_empty();
        assert!(!lost, "a packet waits and everybody sleeps: {:?}", self.log);
    }
}

#[test]
fn r1_to_r6_and_x1_hold_on_random_histories() {
    let histories: u64 = std::env::var("FSM_HISTORIES").map_or(20_000, |n| n.parse().unwrap());
    for seed in 1..=histories {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (cap, threads, keys) = (1 + random.below(3), 1 + random.below(5), 1 + random.below(4));
        let mut history = History::new(cap, threads, keys);
        for _ in 0..40 {
            let thread = random.below(threads);
            let seat = random.below(keys);
            let key = history.keys[seat];
            match random.below(9) {
                8 => {
                    // The connection ends, and another one comes. An old key does nothing from now
                    // on.
                    history.core.close(key);
                    history.owed.remove(&key);
                    history.keys[seat] = history.core.open(());
                    assert_eq!(history.on(Input::Post(key)), Effect::Stale);
                }
                0 | 1 => history.post(key, Input::Post(key)),
                2 | 3 => {
                    let events: Vec<Key> =
                        history.keys.iter().copied().filter(|_| random.below(2) == 0).collect();
                    history.poll(&events);
                }
                4 => history.finish(thread, false),
                5 => history.finish(thread, true),
                6 => {
                    if let Doing::Runs(key) = history.threads[thread] {
                        history.threads[thread] = Doing::Blocks(key);
                        history.on(Input::Block);
                        while history.on(Input::Release) != Effect::None {}
                    }
                }
                _ => {
                    if let Doing::Blocks(key) = history.threads[thread] {
                        history.threads[thread] = Doing::Runs(key);
                        history.on(Input::Unblock);
                    }
                }
            }
            history.check();
        }
        // When everything comes to rest, every packet has had its turn.
        for _ in 0..200 {
            for thread in 0..threads {
                if let Doing::Blocks(key) = history.threads[thread] {
                    history.threads[thread] = Doing::Runs(key);
                    history.on(Input::Unblock);
                }
                history.finish(thread, false);
            }
            history.poll(&[]);
            history.check();
        }
        assert!(history.owed.is_empty(), "seed {seed}: {:?} never ran", history.owed);
        let slots = history.core.slots.len();
        assert_eq!(slots, keys, "seed {seed}: slots of ended connections are not used again");
        assert_eq!(history.core.active, 0, "seed {seed}");
    }
}
