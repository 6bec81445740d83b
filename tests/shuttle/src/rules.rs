//! The checks, each named after the rules it proves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as Kept};

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread::{self, JoinHandle};

use crate::Key;
use crate::credits::{Books, Credits, Wakes};
use crate::port::{Left, Port, Turn};

/// Runs the check under so many schedules: half of them choose the next thread anew at each step,
/// the others let threads run on and preempt them a few times.
fn schedules(check: impl Fn() + Send + Sync + 'static) {
    let count = std::env::var("FSM_SCHEDULES")
        .map_or(500, |count| count.parse::<usize>().expect("`FSM_SCHEDULES` is a number"));
    let check = Arc::new(check);
    let again = Arc::clone(&check);
    shuttle::check_random(move || check(), count.div_ceil(2));
    shuttle::check_pct(move || again(), count / 2, 4);
}

fn below(bound: usize) -> usize {
    thread_rng().gen_range(0..bound)
}

fn work(
    port: &Arc<Port>,
    threads: usize,
    run: impl Fn(&Port, Turn) -> Left + Clone + Send + 'static,
) -> Vec<JoinHandle<()>> {
    let start = |thread| {
        let (port, run) = (Arc::clone(port), run.clone());
        thread::spawn(move || port.work(thread, run))
    };
    (0..threads).map(start).collect()
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no thread panics");
    }
}

/// Threads that post so often each, or have events arrive, for any of the keys.
fn posters(port: &Arc<Port>, keys: &[Key], each: &[usize]) -> Vec<JoinHandle<()>> {
    let start = |count: &usize| {
        let (port, keys, count) = (Arc::clone(port), keys.to_vec(), *count);
        thread::spawn(move || {
            for _ in 0..count {
                let key = keys[below(keys.len())];
                if below(3) == 0 { port.event(key) } else { port.post(key) }
            }
        })
    };
    each.iter().map(start).collect()
}

/// Adds up what turns were told, and closes the port when that is all.
#[derive(Clone)]
struct Sum {
    all: usize,
    sum: Arc<AtomicUsize>,
}

impl Sum {
    fn until(all: usize) -> Self {
        Self { all, sum: Arc::default() }
    }

    fn add(&self, port: &Port, turn: Turn) {
        if self.sum.fetch_add(turn.told, Ordering::SeqCst) + turn.told == self.all {
            port.close();
        }
    }

    fn get(&self) -> usize {
        self.sum.load(Ordering::SeqCst)
    }
}

/// A job port, and three who post to it: all that is posted is run, and then it is closed.
pub fn r1_r2_r6_and_x1_all_that_is_posted_is_run() {
    schedules(|| {
        let threads = 1 + below(4);
        let port = Port::new(threads, 1 + below(3));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(7);
        let turn = sum.clone();
        let run = move |port: &Port, told: Turn| {
            thread::yield_now();
            turn.add(port, told);
            if below(4) == 0 { Left::Again } else { Left::Waits }
        };
        let threads = work(&port, threads, run);
        join(posters(&port, &keys, &[3, 2, 2]));
        join(threads);
        assert_eq!(sum.get(), 7);
        port.check_books();
    });
}

/// The same, but the port is closed at any time: what was posted was run, or is there still.
pub fn r5_what_is_posted_is_run_or_the_port_is_closed() {
    schedules(|| {
        let threads = 1 + below(4);
        let port = Port::new(threads, 1 + below(3));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(usize::MAX);
        let turn = sum.clone();
        let run = move |port: &Port, told: Turn| {
            thread::yield_now();
            turn.add(port, told);
            Left::Waits
        };
        let threads = work(&port, threads, run);
        let posters = posters(&port, &keys, &[3, 3]);
        for _ in 0..below(20) {
            thread::yield_now();
        }
        port.close();
        join(posters);
        join(threads);
        assert_eq!(sum.get() + port.untold(&keys) + port.unpolled(), 6);
        port.check_books();
    });
}

/// Handlers that say that they block, and a watchdog that finds some to block and to go on at any
/// time: all that is posted is run, and at the end nobody is taken for active or for blocked.
pub fn r3_r4_the_active_are_counted_right_whoever_blocks() {
    schedules(|| {
        let threads = 2 + below(3);
        let port = Port::new(threads, 1 + below(2));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(6);
        let turn = sum.clone();
        let run = move |port: &Port, told: Turn| {
            if below(2) == 0 {
                port.blocking(told, thread::yield_now);
            }
            thread::yield_now();
            turn.add(port, told);
            Left::Waits
        };
        let workers = work(&port, threads, run);
        let watchdog = {
            let port = Arc::clone(&port);
            thread::spawn(move || {
                for _ in 0..6 {
                    let thread = below(threads);
                    let turn = port.see_blocked(thread);
                    thread::yield_now();
                    if let (Some(turn), true) = (turn, below(2) == 0) {
                        port.see_running(thread, turn);
                    }
                }
            })
        };
        join(posters(&port, &keys, &[3, 3]));
        join(workers);
        join(vec![watchdog]);
        assert_eq!(sum.get(), 6);
        port.check_books();
    });
}

/// One handler waits for what runs last: with a thread more than there are such handlers, and R3
/// for each, the others go on.
pub fn r3_who_blocks_holds_nobody_up() {
    schedules(|| {
        let port = Port::new(3, 1);
        let keys = [port.open(), port.open(), port.open()];
        let flags = [(); 2].map(|()| Arc::new(Flag::default()));
        let run = move |port: &Port, told: Turn| {
            match keys.iter().position(|key| *key == told.key) {
                Some(at @ (0 | 1)) => {
                    port.blocking(told, || flags[at].wait());
                    if at == 0 {
                        port.close();
                    } else {
                        flags[0].raise();
                    }
                }
                _ => flags[1].raise(),
            }
            Left::Waits
        };
        let workers = work(&port, 3, run);
        let mut order = keys;
        order.swap(0, below(3));
        let posters = order.map(|key| {
            let port = Arc::clone(&port);
            thread::spawn(move || port.post(key))
        });
        join(posters.into());
        join(workers);
        port.check_books();
    });
}

/// Connections end in their turns, and others come into their slots while packets for the old ones
/// are on their way.
pub fn x5_what_is_for_the_dead_reaches_nobody() {
    schedules(|| {
        let threads = 1 + below(3);
        let port = Port::new(threads, 1 + below(2));
        let keys = Arc::new(Kept::new(vec![port.open(), port.open()]));
        let ended = Arc::new(Kept::new(Vec::new()));
        let known = Arc::clone(&keys);
        let run = move |port: &Port, told: Turn| {
            assert!(!ended.lock().expect("no panics").contains(&told.key), "X5: it is dead");
            if below(2) == 0 {
                ended.lock().expect("no panics").push(told.key);
                let next = port.open();
                known.lock().expect("no panics").push(next);
                thread::yield_now();
                port.post(next);
                if ended.lock().expect("no panics").len() >= 4 {
                    port.close();
                }
                return Left::Gone;
            }
            port.post(told.key);
            Left::Waits
        };
        let workers = work(&port, threads, run);
        for _ in 0..8 {
            let known = keys.lock().expect("no panics").clone();
            let key = known[below(known.len())];
            if below(2) == 0 {
                port.event(key);
            } else {
                port.post(key);
            }
            thread::yield_now();
        }
        let known = keys.lock().expect("no panics").clone();
        for key in known {
            port.post(key);
        }
        join(workers);
        port.check_books();
    });
}

/// Something to wait for.
#[derive(Default)]
struct Flag {
    raised: Mutex<bool>,
    bell: Condvar,
}

impl Flag {
    fn raise(&self) {
        *self.raised.lock().expect("no panics") = true;
        self.bell.notify_one();
    }

    fn wait(&self) {
        let mut raised = self.raised.lock().expect("no panics");
        while !*raised {
            raised = self.bell.wait(raised).expect("no panics");
        }
    }
}

impl Wakes for Flag {
    fn wake(&self, _: Key) {
        self.raise();
    }
}

/// Four who offer to a pool, wait or leave, and give back, with a close at any time or none.
pub fn x7_books_balance_whoever_waits_leaves_or_closes() {
    schedules(|| {
        let limit = 1 + below(2);
        let credits = Arc::new(Credits::new(limit));
        let parties = (0..4).map(|_| {
            let credits = Arc::clone(&credits);
            thread::spawn(move || {
                for _ in 0..3 {
                    party(&credits);
                    assert!(credits.out() <= limit, "X7: more credits than there are");
                }
            })
        });
        let parties: Vec<_> = parties.collect();
        if below(2) == 0 {
            for _ in 0..below(20) {
                thread::yield_now();
            }
            credits.close();
        }
        join(parties);
        let Books { offered, taken, refused, abandoned, waiting, .. } = credits.books();
        assert_eq!(offered, taken + refused + abandoned + waiting);
        assert_eq!((waiting, credits.out()), (0, 0));
    });
}

fn party(credits: &Arc<Credits>) {
    if below(3) == 0 {
        let credit = credits.offer();
        thread::yield_now();
        drop(credit);
        return;
    }
    let flag = Arc::new(Flag::default());
    let wakes: Arc<dyn Wakes> = Arc::<Flag>::clone(&flag);
    let Ok(offered) = credits.offer_or_wait(|| wakes, Key::new(0, 0)) else { return };
    match offered {
        Ok(credit) => {
            thread::yield_now();
            drop(credit);
        }
        Err(mut waiting) => {
            if below(3) == 0 {
                // It leaves, granted or not.
                return;
            }
            flag.wait();
            let credit = waiting.ready().expect("who is woken finds out why");
            thread::yield_now();
            drop(credit);
        }
    }
}
