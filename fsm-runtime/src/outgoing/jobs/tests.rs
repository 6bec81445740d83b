use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::call::reply::{ReplyReceiver, WriteReply, read_reply};

/// Doubles a number.
struct Double;

impl Service for Double {
    type Job = u64;
    type Reply = u64;
}

/// The callers of the jobs: job number `n` is the call with that number.
#[derive(Default)]
struct Callers(Mutex<Vec<Outcome>>);

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    call: u32,
    /// `None` if the job is gone.
    reply: Option<u64>,
}

impl ReplyReceiver for Callers {
    fn deliver(&self, _: Key, call: u32, write: Option<&mut WriteReply<'_>>) {
        let reply = read_reply(write);
        self.0.lock().unwrap().push(Outcome { call, reply });
    }
}

/// Notes who was woken last.
#[derive(Default)]
struct Woken(Mutex<Vec<Key>>);

impl Wake for Woken {
    fn wake(&self, key: Key) {
        self.0.lock().unwrap().push(key);
    }
}

struct Pool {
    jobs: JobsInHand<Double>,
    callers: Arc<Callers>,
    woken: Arc<Woken>,
    /// How often the connector was told to look.
    looks: Arc<AtomicUsize>,
    given: u32,
}

impl Pool {
    fn new(limit: usize) -> Self {
        let (jobs, woken) = (JobsInHand::new(limit), Arc::<Woken>::default());
        let looks = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&looks);
        jobs.attach(Wakes {
            connections: Arc::clone(&woken) as Arc<dyn Wake>,
            connector: Box::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        });
        Self { jobs, callers: Arc::default(), woken, looks, given: 0 }
    }

    /// Gives the pool its next job; `false` if it is full.
    fn give(&mut self) -> bool {
        let Ok(permit) = self.jobs.permits.try_offer() else { return false };
        let receiver = Arc::clone(&self.callers) as Arc<dyn ReplyReceiver>;
        let sender = ReplySender::new(receiver, key(0), self.given);
        self.jobs.submit(self.given.into(), permit, sender);
        self.given += 1;
        true
    }

    fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut *self.callers.0.lock().unwrap())
    }

    fn woken(&self) -> Vec<Key> {
        std::mem::take(&mut *self.woken.0.lock().unwrap())
    }
}

fn key(slot: usize) -> Key {
    Key::of(0, slot, 1)
}

#[test]
fn c3_the_connection_that_has_become_idle_last_is_called_first() {
    let mut pool = Pool::new(8);
    for slot in 1..=3 {
        pool.jobs.joined(key(slot));
        assert_eq!(pool.jobs.take(key(slot)), None);
    }
    assert!(pool.give() && pool.give());
    assert_eq!(pool.woken(), [key(3), key(2)]);
    assert_eq!(pool.jobs.missing(), 0);
    assert_eq!((pool.jobs.take(key(3)), pool.jobs.take(key(2))), (Some(0), Some(1)));
    pool.jobs.finish(key(2), 2);
    pool.jobs.finish(key(2), 9);
    assert_eq!(pool.outcomes(), [Outcome { call: 1, reply: Some(2) }]);
    assert!(!pool.jobs.ended(key(3)), "it had a job in hand");
    assert_eq!(pool.outcomes(), [Outcome { call: 0, reply: None }]);
    assert_eq!(pool.jobs.permits.out(), 0);
}

#[test]
fn c3_a_called_connection_that_leaves_has_another_one_called() {
    let mut pool = Pool::new(8);
    for slot in 1..=2 {
        pool.jobs.joined(key(slot));
        pool.jobs.take(key(slot));
    }
    pool.give();
    assert_eq!(pool.woken(), [key(2)]);
    pool.jobs.withdraw(key(2));
    assert_eq!(pool.woken(), [key(1)]);
    assert!(pool.jobs.ended(key(1)), "it was free");
    assert_eq!((pool.woken(), pool.looks.load(Ordering::Relaxed)), (vec![], 1));
    // The other one may come back, so no connection is missing until it has ended.
    assert_eq!(pool.jobs.missing(), 0);
    assert!(pool.jobs.ended(key(2)), "it was free before it left its state");
    assert_eq!((pool.jobs.missing(), pool.outcomes()), (1, vec![]));
}

#[test]
fn c3_a_connection_at_its_end_is_not_waited_for() {
    let mut pool = Pool::new(8);
    pool.jobs.joined(key(1));
    pool.give();
    assert_eq!(pool.jobs.take(key(1)), Some(0));
    pool.jobs.finish(key(1), 0);
    pool.give();
    assert_eq!(pool.jobs.missing(), 0, "it may come back");
    let looks = pool.looks.load(Ordering::Relaxed);
    pool.jobs.leaves(key(1));
    assert_eq!((pool.jobs.missing(), pool.looks.load(Ordering::Relaxed)), (1, looks + 1));
    assert_eq!(pool.jobs.take(key(1)), None, "it is not free");
    assert!(!pool.jobs.ended(key(1)), "it was not free since its job");
    pool.jobs.close();
    assert_eq!(pool.jobs.permits.out(), 0);
}

#[test]
fn c3_without_a_target_jobs_are_gone_at_once_and_later_ones_are_taken_again() {
    let mut pool = Pool::new(8);
    pool.give();
    pool.jobs.set_reachable(false);
    pool.give();
    let gone = |call| Outcome { call, reply: None };
    assert_eq!(pool.outcomes(), [gone(0), gone(1)]);
    pool.jobs.set_reachable(true);
    pool.give();
    assert_eq!((pool.outcomes(), pool.jobs.missing()), (vec![], 1));
    pool.jobs.close();
    assert_eq!(pool.outcomes(), [gone(2)]);
    assert!(!pool.give(), "it is closed");
}

/// A generator of numbers, so that each run is the same.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// Random histories of connections that come, take, answer, withdraw and end.
#[test]
fn c1_each_job_has_one_reply_or_is_gone_once_and_none_waits_beside_an_idle_connection() {
    for seed in 0..200 {
        let (mut random, mut pool) = (Numbers(seed), Pool::new(5));
        let mut in_hand: HashMap<Key, u64> = HashMap::new();
        let (mut open, mut given, mut done) = (Vec::new(), 0, Vec::new());
        let mut called: Vec<Key> = Vec::new();
        for slot in 1..400 {
            let some = (!open.is_empty()).then(|| open[random.below(open.len())]);
            match (random.below(8), some) {
                (0, _) => {
                    pool.jobs.joined(key(slot));
                    open.push(key(slot));
                }
                (1 | 2, _) => given += u32::from(pool.give()),
                (3 | 4, Some(key)) if !in_hand.contains_key(&key) => {
                    if let Some(job) = pool.jobs.take(key) {
                        in_hand.insert(key, job);
                    }
                }
                (5, Some(key)) => {
                    if let Some(job) = in_hand.remove(&key) {
                        pool.jobs.finish(key, 2 * job);
                    }
                }
                (6, Some(key)) if !in_hand.contains_key(&key) => pool.jobs.withdraw(key),
                (7, Some(key)) => {
                    open.retain(|other| *other != key);
                    in_hand.remove(&key);
                    pool.jobs.ended(key);
                }
                _ => {}
            }
            called.extend(pool.woken());
            // A called connection has its turn sooner or later.
            while random.below(2) == 0 {
                let Some(key) = called.pop() else { break };
                let is_free = open.contains(&key) && !in_hand.contains_key(&key);
                if let Some(job) = is_free.then(|| pool.jobs.take(key)).flatten() {
                    in_hand.insert(key, job);
                }
            }
            let state = pool.jobs.state();
            let idle = state
                .connections
                .values()
                .filter(|status| matches!(status, ConnectionStatus::Idle));
            assert_eq!(idle.count(), state.idle.len());
            assert!(
                state.queue.len() <= state.called || state.idle.is_empty(),
                "{seed}: one waits"
            );
            drop(state);
            done.extend(pool.outcomes());
        }
        pool.jobs.close();
        for key in open {
            pool.jobs.ended(key);
        }
        done.extend(pool.outcomes());
        let mut calls: Vec<u32> = done.iter().map(|outcome| outcome.call).collect();
        calls.sort_unstable();
        assert_eq!(calls, (0..given).collect::<Vec<_>>(), "{seed}");
        assert!(done.iter().all(|o| o.reply.is_none_or(|reply| reply == u64::from(2 * o.call))));
        assert_eq!(pool.jobs.permits.out(), 0);
    }
}
