//! A port as the workers use it, with turns that the check makes up, and a poll without sockets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Key;
use crate::driver::parker::Parker;
use crate::scheduler::port_core::{PortCore, PortInput, ThreadIndex};
use crate::scheduler::shared::{Blocked, Locked, Shared, Work};

/// A port, with the state of the checks themselves. That state is in types of std, which add no
/// schedules: no thread holds one of their locks while another thread may run.
pub(super) struct Port {
    shared: Shared<Slot, ()>,
    poll: Arc<Poll>,
    max_running: usize,
    /// Turns that run and do not block.
    active: AtomicUsize,
    /// Some turn has blocked and goes on, so that more than `max_running` may run (R4).
    over: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Packets since its last turn.
    packets: usize,
    runs: bool,
}

/// A turn of a key, with the number of packets that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) thread: ThreadIndex,
    pub(super) key: Key,
    pub(super) packets: usize,
    number: u64,
}

/// The end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    Waits,
    Again,
    Gone,
    /// The turn has set a deadline for this key, which has passed already: the thread that polls
    /// must look.
    #[cfg_attr(shuttle, expect(dead_code, reason = "only loom's checks have deadlines"))]
    Due(Key),
}

/// A poll in which a thread sleeps until an event arrives or it is interrupted, like `mio::Poll`.
#[derive(Default)]
struct Poll {
    parker: Parker,
    events: Mutex<Vec<Key>>,
    polled: AtomicBool,
}

impl Poll {
    fn arrives(&self, key: Key) {
        self.events().push(key);
        self.parker.wake();
    }

    fn wait(&self, wait: bool) -> Vec<Key> {
        assert!(!self.polled.swap(true, Ordering::SeqCst), "X2: two threads poll");
        if wait {
            self.parker.sleep(None);
        }
        self.polled.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Key>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Port {
    pub(super) fn new(threads: usize, max_running: usize) -> Arc<Self> {
        let poll = Arc::<Poll>::default();
        let interrupted = Arc::clone(&poll);
        let interrupt = Box::new(move || interrupted.parker.wake());
        Arc::new(Self {
            shared: Shared::new(
                PortCore::new(0, max_running, Arc::default()),
                threads,
                (),
                interrupt,
            ),
            poll,
            max_running,
            active: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        })
    }

    /// A connection that has nothing to do yet.
    pub(super) fn open(&self) -> Key {
        self.shared.locked(|port| port.core().open(Slot::default()))
    }

    pub(super) fn post(&self, key: Key) {
        self.shared.locked(|port| enqueue(port, key, PortInput::Post(key)));
    }

    /// The thread that polls finds an event for the key.
    pub(super) fn event(&self, key: Key) {
        self.poll.arrives(key);
    }

    pub(super) fn close(&self) {
        self.shared.locked(|port| {
            port.handle(PortInput::Close);
        });
    }

    /// Works as a thread of the port until the port is closed.
    pub(super) fn work(&self, thread: ThreadIndex, mut run: impl FnMut(&Self, Turn) -> Left) {
        let mut next = self.next(thread, |_| {});
        loop {
            next = match next {
                Next::Run(turn) => {
                    let active = self.active.fetch_add(1, Ordering::SeqCst);
                    let over = self.over.load(Ordering::SeqCst);
                    assert!(active < self.max_running || over, "R1: more turns than may run");
                    let left = run(self, turn);
                    self.active.fetch_sub(1, Ordering::SeqCst);
                    self.next(thread, |port| {
                        if let Some(slot) = port.core().get_mut(turn.key) {
                            slot.runs = false;
                        }
                        if left == Left::Gone {
                            port.core().close(turn.key);
                        }
                        if let Left::Due(key) = left {
                            self.poll.events().push(key);
                            port.interrupt();
                        }
                        port.done(thread, left == Left::Again);
                    })
                }
                Next::Poll { wait } => {
                    let events = self.poll.wait(wait);
                    self.next(thread, |port| {
                        for key in events {
                            enqueue(port, key, PortInput::Event(key));
                        }
                        port.handle(PortInput::Polled(thread));
                    })
                }
                Next::End => return,
            };
        }
    }

    fn next(&self, thread: ThreadIndex, before: impl FnOnce(&mut Locked<'_, Slot, ()>)) -> Next {
        self.shared.next(thread, before, |port, work| match work {
            Work::Run(key) => {
                let number = port.turn(thread).expect("a thread that runs has a turn");
                let slot = port.core().get_mut(key).expect("X5: the key of a turn is live");
                assert!(!std::mem::replace(&mut slot.runs, true), "X1: it runs on two threads");
                let packets = std::mem::take(&mut slot.packets);
                Next::Run(Turn { thread, key, packets, number })
            }
            Work::Poll { wait } => Next::Poll { wait },
            Work::End => Next::End,
        })
    }

    /// Runs code that is declared to block.
    pub(super) fn blocking(&self, turn: Turn, code: impl FnOnce()) {
        self.active.fetch_sub(1, Ordering::SeqCst);
        self.shared.locked(|port| port.block(turn.thread, turn.number, Blocked::Declared));
        code();
        self.over.store(true, Ordering::SeqCst);
        self.shared.locked(|port| port.unblock(turn.thread, turn.number, Blocked::Declared));
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// Makes the watchdog take the thread for blocked, if it runs a turn; returns that turn's number.
    pub(super) fn see_blocked(&self, thread: ThreadIndex) -> Option<u64> {
        let turn = self.shared.locked(|port| port.turn(thread))?;
        // From here on the bound holds only for the turns that do not seem to block.
        self.over.store(true, Ordering::SeqCst);
        self.shared.locked(|port| port.block(thread, turn, Blocked::Observed));
        Some(turn)
    }

    /// Makes the watchdog find that the thread goes on.
    pub(super) fn see_running(&self, thread: ThreadIndex, turn: u64) {
        self.shared.locked(|port| port.unblock(thread, turn, Blocked::Observed));
    }

    /// Checks, when all threads have ended, that the core counts no turn any more.
    pub(super) fn check_count(&self) {
        self.shared.locked(|port| {
            let core = format!("{:?}", port.core());
            assert!(core.contains(", active: 0, "), "R4: the running turns are miscounted: {core}");
        });
        assert_eq!(self.active.load(Ordering::SeqCst), 0);
    }

    /// Packets that no turn has taken up.
    #[cfg(shuttle)]
    pub(super) fn left_over(&self, keys: &[Key]) -> usize {
        self.shared.locked(|port| {
            keys.iter().map(|key| port.core().get_mut(*key).map_or(0, |slot| slot.packets)).sum()
        })
    }

    /// Events that no thread has seen.
    #[cfg(shuttle)]
    pub(super) fn unpolled(&self) -> usize {
        self.poll.events().len()
    }
}

fn enqueue(port: &mut Locked<'_, Slot, ()>, key: Key, input: PortInput) {
    if let Some(slot) = port.core().get_mut(key) {
        slot.packets += 1;
    }
    port.handle(input);
}

enum Next {
    Run(Turn),
    Poll { wait: bool },
    End,
}
