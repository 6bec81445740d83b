//! The requests of one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::{Load, MAX_TIMEOUT, Place};
use crate::tally::Errors;

/// The requests of a connection, and those among them that wait for an answer. `T` is what is known of the
/// answer before it comes.
#[derive(Debug)]
pub(crate) struct Requests<T> {
    load: Arc<Load>,
    place: Place,
    waiting: VecDeque<Waiting<T>>,
}

/// A request that was sent.
#[derive(Debug)]
struct Waiting<T> {
    due: Instant,
    sent: Instant,
    expected: T,
}

/// The next action of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Sends a request, which counts as sent from now on, and says so with [`sent`](Requests::sent).
    Send,
    /// Waits for the next answer.
    Answer,
    /// Rests for this time. At the end of the run the pool closes a connection that rests.
    Pause(Duration),
}

impl<T> Requests<T> {
    pub(crate) fn new(load: &Arc<Load>) -> Self {
        let place = load.join(Instant::now());
        Self { load: Arc::clone(load), place, waiting: VecDeque::new() }
    }

    /// Decides what the connection does next.
    pub(crate) fn next(&self, draining: bool) -> Next {
        let now = Instant::now();
        if draining {
            self.load.state().tally.stopped.get_or_insert(now);
        }
        let due = self.load.due(&self.place, now);
        let ends = draining || !self.load.admits(due);
        let is_due = !ends && due <= now && self.waiting.len() < self.load.depth;
        if is_due && self.load.take() {
            Next::Send
        } else if !self.waiting.is_empty() {
            Next::Answer
        } else if ends || is_due {
            Next::Pause(MAX_TIMEOUT)
        } else {
            Next::Pause(due.saturating_duration_since(now).min(MAX_TIMEOUT))
        }
    }

    /// Notes that a request was sent, and what is known of its answer.
    pub(crate) fn sent(&mut self, expected: T) {
        let sent = Instant::now();
        let due = self.load.due(&self.place, sent);
        self.place.advance();
        self.waiting.push_back(Waiting { due, sent, expected });
    }

    /// The expectation of the next answer; `None` if there should be none.
    pub(crate) fn expected(&self) -> Option<&T> {
        self.waiting.front().map(|waiting| &waiting.expected)
    }

    /// Notes that the next answer has come.
    pub(crate) fn answered(&mut self) {
        let Some(Waiting { due, sent, .. }) = self.waiting.pop_front() else { return };
        let mut state = self.load.state();
        state.tally.answers += 1;
        if self.load.measures(due) {
            state.tally.add(due.elapsed(), sent - due);
        }
        self.load.settle(&mut state, 1);
    }

    /// Notes that the next answer has no value.
    pub(crate) fn missed(&self) {
        self.load.state().tally.misses += 1;
    }

    /// Counts an error.
    pub(crate) fn failed(&self, count: impl FnOnce(&mut Errors) -> &mut u64) {
        *count(&mut self.load.state().tally.errors) += 1;
    }
}

impl<T> Drop for Requests<T> {
    fn drop(&mut self) {
        self.load.leave(self.place, self.waiting.len() as u64);
    }
}
