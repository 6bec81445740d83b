//! All schedules of a few preemptions of two or three threads. Each check is named after the rule
//! that it proves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::port::{Left, Port, Turn};
use crate::sync::schedules::thread::{self, JoinHandle};
use crate::sync::schedules::{Flag, schedules};

/// Starts the threads of a port.
fn work(
    port: &Arc<Port>,
    threads: usize,
    run: impl Fn(&Port, Turn) -> Left + Clone + 'static,
) -> Vec<JoinHandle<()>> {
    let start = |thread| {
        let (port, run) = (Arc::clone(port), run.clone());
        thread::spawn(move || port.work(thread, run))
    };
    (0..threads).map(start).collect()
}

fn join(port: &Port, threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no thread panics");
    }
    port.check_count();
}

/// A turn that adds up its packets, and closes the port after the last of them.
fn until(all: usize) -> impl Fn(&Port, Turn) -> Left + Clone + 'static {
    let sum = Arc::new(AtomicUsize::new(0));
    move |port: &Port, turn: Turn| {
        if sum.fetch_add(turn.packets, Ordering::SeqCst) + turn.packets == all {
            port.close();
        }
        Left::Waits
    }
}

/// Two threads are idle, one of which polls: a post wakes one of them.
#[test]
fn r6_a_post_wakes_a_thread() {
    schedules(5, || {
        let port = Port::new(2, 1);
        let key = port.open();
        let threads = work(&port, 2, until(1));
        port.post(key);
        join(&port, threads);
    });
}

/// The only thread goes to sleep in its poll while posts come.
#[test]
fn r6_a_post_is_not_lost_on_the_way_to_the_poll() {
    schedules(8, || {
        let port = Port::new(1, 1);
        let keys = [port.open(), port.open()];
        let threads = work(&port, 1, until(2));
        let poster = {
            let port = Arc::clone(&port);
            thread::spawn(move || port.post(keys[1]))
        };
        port.post(keys[0]);
        poster.join().expect("no panics");
        join(&port, threads);
    });
}

/// Two threads post for one key: the key runs on one thread at a time, and takes both packets.
#[test]
fn x1_no_post_is_lost_while_its_key_runs() {
    schedules(3, || {
        let port = Port::new(2, 2);
        let key = port.open();
        let threads = work(&port, 2, until(2));
        let poster = {
            let port = Arc::clone(&port);
            thread::spawn(move || port.post(key))
        };
        port.post(key);
        poster.join().expect("no panics");
        join(&port, threads);
    });
}

/// The close comes at any time: a post from before it may run or not.
#[test]
fn r5_close_ends_all() {
    schedules(3, || {
        let port = Port::new(2, 1);
        let key = port.open();
        let threads = work(&port, 2, |_, _| Left::Waits);
        let poster = {
            let port = Arc::clone(&port);
            thread::spawn(move || port.post(key))
        };
        port.close();
        poster.join().expect("no panics");
        join(&port, threads);
    });
}

/// The handler of one event waits for the handler of a later event: another thread must poll.
#[test]
fn x2_somebody_polls_while_a_handler_runs() {
    schedules(4, || {
        let port = Port::new(2, 2);
        let (first, second) = (port.open(), port.open());
        let flag = Arc::new(Flag::default());
        let run = move |port: &Port, turn: Turn| {
            if turn.key == first {
                port.event(second);
                flag.wait();
                port.close();
            } else {
                flag.raise();
            }
            Left::Waits
        };
        let threads = work(&port, 2, run);
        port.event(first);
        join(&port, threads);
    });
}

/// A turn sets a deadline before the end of the poll, and then its thread has no work.
#[test]
fn x6_a_thread_that_goes_to_sleep_has_interrupted_the_poll() {
    schedules(4, || {
        let port = Port::new(2, 1);
        let (first, second) = (port.open(), port.open());
        let run = move |port: &Port, turn: Turn| {
            if turn.key == first {
                return Left::Due(second);
            }
            port.close();
            Left::Waits
        };
        let threads = work(&port, 2, run);
        port.post(first);
        join(&port, threads);
    });
}

/// A poll finds two events, and the handler of the first waits for that of the second: both may run
/// at a time.
#[test]
fn r1_what_a_poll_finds_runs_on_as_many_threads_as_may() {
    schedules(4, || {
        let port = Port::new(2, 2);
        let (first, second) = (port.open(), port.open());
        let flag = Arc::new(Flag::default());
        let run = move |port: &Port, turn: Turn| {
            if turn.key == first {
                flag.wait();
                port.close();
            } else {
                flag.raise();
            }
            Left::Waits
        };
        port.event(first);
        port.event(second);
        let threads = work(&port, 2, run);
        join(&port, threads);
    });
}

/// The only idle thread sleeps in its poll, and `max_running` threads are active: a declared block
/// wakes it.
#[test]
fn r3_the_thread_that_polls_runs_when_another_one_blocks() {
    schedules(4, || {
        let port = Port::new(2, 1);
        let (first, second) = (port.open(), port.open());
        let flag = Arc::new(Flag::default());
        let run = move |port: &Port, turn: Turn| {
            if turn.key == first {
                port.blocking(turn, || flag.wait());
                port.close();
            } else {
                flag.raise();
            }
            Left::Waits
        };
        let threads = work(&port, 2, run);
        port.post(first);
        port.post(second);
        join(&port, threads);
    });
}

/// The same for a block that the watchdog finds.
#[test]
fn r3_the_thread_that_polls_runs_when_another_one_is_seen_to_block() {
    schedules(3, || {
        let port = Port::new(2, 1);
        let (first, second) = (port.open(), port.open());
        let (flag, waits) = (Arc::new(Flag::default()), Arc::new(Flag::default()));
        let blocked = Arc::clone(&waits);
        let on = Arc::new(AtomicUsize::new(0));
        let thread = Arc::clone(&on);
        let run = move |port: &Port, turn: Turn| {
            if turn.key == first {
                on.store(turn.thread, Ordering::SeqCst);
                waits.raise();
                flag.wait();
                port.close();
            } else {
                flag.raise();
            }
            Left::Waits
        };
        let threads = work(&port, 2, run);
        port.post(first);
        port.post(second);
        blocked.wait();
        // Either the turn of `second` has run already, or this lets it run.
        port.see_blocked(thread.load(Ordering::SeqCst));
        join(&port, threads);
    });
}

/// The watchdog finds a thread to block, and to go on, while its turn ends and the next one begins.
#[test]
fn r4_the_count_is_right_however_a_turn_ends() {
    schedules(8, || {
        let port = Port::new(1, 1);
        let keys = [port.open(), port.open()];
        port.post(keys[0]);
        port.post(keys[1]);
        let threads = work(&port, 1, until(2));
        for _ in 0..2 {
            if let Some(turn) = port.see_blocked(0) {
                port.see_running(0, turn);
            }
        }
        join(&port, threads);
    });
}

/// The same for a turn that declares that it blocks.
#[test]
fn r4_the_count_is_right_if_who_blocks_says_so() {
    schedules(4, || {
        let port = Port::new(2, 1);
        let key = port.open();
        port.post(key);
        let all = until(1);
        let threads = work(&port, 2, move |port, turn| {
            port.blocking(turn, || {});
            all(port, turn)
        });
        for thread in 0..2 {
            if let Some(turn) = port.see_blocked(thread) {
                port.see_running(thread, turn);
            }
        }
        join(&port, threads);
    });
}
