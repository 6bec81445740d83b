use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::Key;
use crate::net::poll::Token;
use crate::net::token;

/// A number that is no key.
const NONE: u64 = token::WAKER.0 as u64;

/// The state of a thread that runs handlers, for other threads to read, and the order to stop. It has
/// no lock, because the thread writes it in each turn.
///
/// The watchdog reads the fields one after another, so that they may belong to different turns. This
/// does no harm, because a handler that is worth a warning has been running for long.
#[derive(Debug)]
// Nothing else is in its cache lines.
#[repr(align(128))]
pub(crate) struct ThreadStatus {
    /// The number of the current turn.
    turn: AtomicU64,
    /// The key whose turn it is.
    key: AtomicU64,
    /// The state whose handler runs.
    state: AtomicUsize,
    /// The handler has declared that it blocks.
    blocks: AtomicBool,
    /// The port is closed: no turn is to begin any more.
    stopped: AtomicBool,
}

impl Default for ThreadStatus {
    fn default() -> Self {
        Self {
            turn: AtomicU64::new(0),
            key: AtomicU64::new(NONE),
            state: AtomicUsize::new(0),
            blocks: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        }
    }
}

impl ThreadStatus {
    /// Records that a turn of the key begins.
    #[inline]
    pub(crate) fn begin_turn(&self, key: Key) {
        // The thread is the only writer, so that a load and a store suffice.
        self.turn.store(self.turn().wrapping_add(1), Ordering::Relaxed);
        self.key.store(token::from_key(key).0 as u64, Ordering::Relaxed);
    }

    /// Records that no handler runs.
    pub(crate) fn set_idle(&self) {
        self.key.store(NONE, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn at_state(&self, state: usize) {
        self.state.store(state, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Relaxed)
    }

    pub(crate) fn key(&self) -> Option<Key> {
        let key = self.key.load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "it was one")]
        (key != NONE).then(|| token::to_key(Token(key as usize)))
    }

    pub(crate) fn state(&self) -> usize {
        self.state.load(Ordering::Relaxed)
    }

    /// Records that the handler blocks. Returns whether this is new.
    pub(crate) fn block(&self) -> bool {
        !self.blocks.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn unblock(&self) {
        self.blocks.store(false, Ordering::Relaxed);
    }

    pub(crate) fn blocks(&self) -> bool {
        self.blocks.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}
