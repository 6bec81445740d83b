//! A port as the runtime's workers use it, with turns that the check says, and a poll without
//! sockets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bed::Bed;
use crate::core::{Input, PortCore, Thread};
use crate::key::Key;
use crate::shell::{Blocked, Locked, Shell, Work};

/// What the checks themselves keep is in types of `std`: it adds no schedules, and nothing here is
/// locked while another thread may be let run.
pub(crate) struct Port {
    shell: Shell<Slot, ()>,
    poll: Arc<Poll>,
    cap: usize,
    /// Turns that run and do not block.
    active: AtomicUsize,
    /// Some turn has blocked and goes on: there may be more than the cap (R4).
    over: AtomicBool,
}

#[derive(Debug, Default)]
pub(crate) struct Slot {
    /// What was told since its last turn.
    told: usize,
    runs: bool,
}

/// A turn of a key, with how much it was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) thread: Thread,
    pub(crate) key: Key,
    pub(crate) told: usize,
    number: u64,
}

/// How a turn ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every crate of checks needs each")]
pub(crate) enum Left {
    Waits,
    Again,
    Gone,
    /// It has set a deadline for this key, which has passed already: who polls must look.
    Due(Key),
}

/// Where a thread sleeps until an event comes or it is interrupted, as in `mio::Poll`.
#[derive(Default)]
struct Poll {
    bed: Bed,
    events: Mutex<Vec<Key>>,
    polled: AtomicBool,
}

impl Poll {
    fn arrives(&self, key: Key) {
        self.events().push(key);
        self.bed.wake();
    }

    fn wait(&self, wait: bool) -> Vec<Key> {
        assert!(!self.polled.swap(true, Ordering::SeqCst), "X2: two threads poll");
        if wait {
            self.bed.sleep(None);
        }
        self.polled.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Key>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[allow(dead_code, reason = "not every crate of checks needs each")]
impl Port {
    pub(crate) fn new(threads: usize, cap: usize) -> Arc<Self> {
        let poll = Arc::<Poll>::default();
        let interrupted = Arc::clone(&poll);
        let interrupt = Box::new(move || interrupted.bed.wake());
        Arc::new(Self {
            shell: Shell::new(PortCore::new(0, cap), threads, (), interrupt),
            poll,
            cap,
            active: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        })
    }

    /// A connection that has nothing to do yet.
    pub(crate) fn open(&self) -> Key {
        self.shell.locked(|port| port.core().open(Slot::default()))
    }

    pub(crate) fn post(&self, key: Key) {
        self.shell.locked(|port| tell(port, key, Input::Post(key)));
    }

    /// The thread that polls finds an event for the key.
    pub(crate) fn event(&self, key: Key) {
        self.poll.arrives(key);
    }

    pub(crate) fn close(&self) {
        self.shell.locked(|port| {
            port.on(Input::Close);
        });
    }

    /// What a thread of the port does until it is closed.
    pub(crate) fn work(&self, thread: Thread, mut run: impl FnMut(&Self, Turn) -> Left) {
        let mut next = self.next(thread, |_| {});
        loop {
            next = match next {
                Next::Run(turn) => {
                    let active = self.active.fetch_add(1, Ordering::SeqCst);
                    let over = self.over.load(Ordering::SeqCst);
                    assert!(active < self.cap || over, "R1: more turns than the cap");
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
                            tell(port, key, Input::Event(key));
                        }
                        port.on(Input::Polled(thread));
                    })
                }
                Next::End => return,
            };
        }
    }

    fn next(&self, thread: Thread, before: impl FnOnce(&mut Locked<'_, Slot, ()>)) -> Next {
        self.shell.next(thread, before, |port, work| match work {
            Work::Run(key) => {
                let number = port.turn(thread).expect("a thread that runs has a turn");
                let slot = port.core().get_mut(key).expect("X5: the key of a turn is live");
                assert!(!std::mem::replace(&mut slot.runs, true), "X1: it runs on two threads");
                let told = std::mem::take(&mut slot.told);
                Next::Run(Turn { thread, key, told, number })
            }
            Work::Poll { wait } => Next::Poll { wait },
            Work::End => Next::End,
        })
    }

    /// Runs code that blocks, and says so.
    pub(crate) fn blocking(&self, turn: Turn, code: impl FnOnce()) {
        self.active.fetch_sub(1, Ordering::SeqCst);
        self.shell.locked(|port| port.block(turn.thread, turn.number, Blocked::Declared));
        code();
        self.over.store(true, Ordering::SeqCst);
        self.shell.locked(|port| port.unblock(turn.thread, turn.number, Blocked::Declared));
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// The watchdog looks, and takes whoever runs for blocked; it says whom.
    pub(crate) fn see_blocked(&self, thread: Thread) -> Option<u64> {
        let turn = self.shell.locked(|port| port.turn(thread))?;
        // From here on the cap holds for those alone that do not seem to block.
        self.over.store(true, Ordering::SeqCst);
        self.shell.locked(|port| port.block(thread, turn, Blocked::Seen));
        Some(turn)
    }

    /// The watchdog finds that it goes on.
    pub(crate) fn see_running(&self, thread: Thread, turn: u64) {
        self.shell.locked(|port| port.unblock(thread, turn, Blocked::Seen));
    }

    /// When all threads have ended: the books of the core are at zero.
    pub(crate) fn check_books(&self) {
        self.shell.locked(|port| {
            let core = format!("{:?}", port.core());
            assert!(core.contains(", active: 0, "), "R4: who runs is miscounted: {core}");
        });
        assert_eq!(self.active.load(Ordering::SeqCst), 0);
    }

    /// What was told and has not had its turn.
    pub(crate) fn untold(&self, keys: &[Key]) -> usize {
        self.shell.locked(|port| {
            keys.iter().map(|key| port.core().get_mut(*key).map_or(0, |slot| slot.told)).sum()
        })
    }

    /// Events that no thread has seen.
    pub(crate) fn unpolled(&self) -> usize {
        self.poll.events().len()
    }
}

fn tell(port: &mut Locked<'_, Slot, ()>, key: Key, input: Input) {
    if let Some(slot) = port.core().get_mut(key) {
        slot.told += 1;
    }
    port.on(input);
}

enum Next {
    Run(Turn),
    Poll { wait: bool },
    End,
}
