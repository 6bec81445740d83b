//! Random schedules of up to eight threads with several keys. Each check is named after the rules
//! that it proves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::port::{Left, Port, Turn};
use crate::Key;
use crate::sync::schedules::thread::{self, JoinHandle};
use crate::sync::schedules::{Flag, below, schedules};

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

/// Starts a thread for each number in `each`, which posts or makes events arrive so often, for any of
/// the keys.
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

/// Adds up the packets of turns, and closes the port after the last of them.
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
        if self.sum.fetch_add(turn.packets, Ordering::SeqCst) + turn.packets == self.all {
            port.close();
        }
    }

    fn get(&self) -> usize {
        self.sum.load(Ordering::SeqCst)
    }
}

/// Three threads post to a port of jobs: all packets run, and then the port is closed.
#[test]
fn r1_r2_r6_and_x1_all_that_is_posted_is_run() {
    schedules(|| {
        let threads = 1 + below(4);
        let port = Port::new(threads, 1 + below(3));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(7);
        let total = sum.clone();
        let run = move |port: &Port, turn: Turn| {
            thread::yield_now();
            total.add(port, turn);
            if below(4) == 0 { Left::Again } else { Left::Waits }
        };
        let threads = work(&port, threads, run);
        join(posters(&port, &keys, &[3, 2, 2]));
        join(threads);
        assert_eq!(sum.get(), 7);
        port.check_count();
    });
}

/// The same, but the port is closed at any time: each packet has run or is left.
#[test]
fn r5_what_is_posted_is_run_or_the_port_is_closed() {
    schedules(|| {
        let threads = 1 + below(4);
        let port = Port::new(threads, 1 + below(3));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(usize::MAX);
        let total = sum.clone();
        let run = move |port: &Port, turn: Turn| {
            thread::yield_now();
            total.add(port, turn);
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
        assert_eq!(sum.get() + port.left_over(&keys) + port.unpolled(), 6);
        port.check_count();
    });
}

/// Handlers declare that they block, and a watchdog finds some that block and go on at any time: all
/// packets run, and at the end no thread counts as running or as blocked.
#[test]
fn r3_r4_the_active_are_counted_right_whoever_blocks() {
    schedules(|| {
        let threads = 2 + below(3);
        let port = Port::new(threads, 1 + below(2));
        let keys: Vec<Key> = (0..=below(4)).map(|_| port.open()).collect();
        let sum = Sum::until(6);
        let total = sum.clone();
        let run = move |port: &Port, turn: Turn| {
            if below(2) == 0 {
                port.blocking(turn, thread::yield_now);
            }
            thread::yield_now();
            total.add(port, turn);
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
        port.check_count();
    });
}

/// Some handlers wait for the last turn. With one thread more than there are such handlers, and R3 for
/// each of them, the others go on.
#[test]
fn r3_who_blocks_holds_nobody_up() {
    schedules(|| {
        let port = Port::new(3, 1);
        let keys = [port.open(), port.open(), port.open()];
        let flags = [(); 2].map(|()| Arc::new(Flag::default()));
        let run = move |port: &Port, turn: Turn| {
            match keys.iter().position(|key| *key == turn.key) {
                Some(at @ (0 | 1)) => {
                    port.blocking(turn, || flags[at].wait());
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
        port.check_count();
    });
}

/// Connections end in their turns, and others get their slots while packets for the old ones are on
/// their way.
#[test]
fn x5_what_is_for_the_dead_reaches_nobody() {
    schedules(|| {
        let threads = 1 + below(3);
        let port = Port::new(threads, 1 + below(2));
        let keys = Arc::new(Mutex::new(vec![port.open(), port.open()]));
        let ended = Arc::new(Mutex::new(Vec::new()));
        let known = Arc::clone(&keys);
        let run = move |port: &Port, turn: Turn| {
            assert!(!ended.lock().expect("no panics").contains(&turn.key), "X5: it is dead");
            if below(2) == 0 {
                ended.lock().expect("no panics").push(turn.key);
                let next = port.open();
                known.lock().expect("no panics").push(next);
                thread::yield_now();
                port.post(next);
                if ended.lock().expect("no panics").len() >= 4 {
                    port.close();
                }
                return Left::Gone;
            }
            port.post(turn.key);
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
        port.check_count();
    });
}
