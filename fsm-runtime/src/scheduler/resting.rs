//! The connections that are longest at rest, of which a newcomer takes the place of one.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::Key;
use crate::scheduler::observe::Observe;

/// A connection at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RestingTask {
    /// The time since which it rests, in milliseconds of the pool's clock.
    pub(crate) since: u64,
    pub(crate) key: Key,
}

/// The connections of a port that were longest at rest when it was searched last.
///
/// They stay those that are longest at rest as long as they rest, because all others have rested for less time.
#[derive(Debug, Default)]
pub(crate) struct RestingTasks {
    /// The one that is longest at rest comes last.
    longest: Vec<RestingTask>,
    /// The next search begins at this time at the earliest.
    search_from: u64,
}

impl RestingTasks {
    /// The most connections that a search remembers.
    pub(crate) const MOST: usize = 1_024;
    /// Milliseconds between two searches, so that they cost little also where nobody rests for long.
    const PAUSE: u64 = 100;

    /// Takes the one that is longest at rest, if it has rested since this time.
    pub(crate) fn take(&mut self, since: u64) -> Option<RestingTask> {
        let longest = self.longest.last().filter(|task| task.since <= since)?;
        let longest = *longest;
        self.longest.pop();
        Some(longest)
    }

    /// Whether a search is needed, and may begin now.
    pub(crate) fn may_search(&self, now: u64) -> bool {
        self.longest.is_empty() && self.search_from <= now
    }

    /// Stores what a search has found, in the order of the times.
    pub(crate) fn searched(&mut self, mut found: Vec<RestingTask>, now: u64) {
        found.reverse();
        self.longest = found;
        self.search_from = now.saturating_add(Self::PAUSE);
    }
}

/// How the request of a newcomer for a place stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShedAnswer {
    /// There is no request.
    Unasked,
    /// A port looks for a connection that has rested long enough.
    Asked,
    /// A connection ends.
    Ends,
    /// The port has no connection that has rested long enough.
    Nobody,
}

/// The answer to the requests of a port, which asks one port at a time.
#[derive(Debug, Default)]
pub(crate) struct ShedAnswers(AtomicU8);

impl ShedAnswers {
    pub(crate) fn latest(&self) -> ShedAnswer {
        let all = [ShedAnswer::Unasked, ShedAnswer::Asked, ShedAnswer::Ends, ShedAnswer::Nobody];
        all[usize::from(self.0.load(Ordering::Acquire)) % all.len()]
    }

    fn set(&self, answer: ShedAnswer) {
        self.0.store(answer as u8, Ordering::Release);
    }

    /// Forgets an answer that has come.
    pub(crate) fn forget(&self) {
        if self.latest() != ShedAnswer::Asked {
            self.set(ShedAnswer::Unasked);
        }
    }
}

/// A request to end the connection of a port that is longest at rest. It is answered when it is dropped.
pub(crate) struct ShedRequest {
    answers: Arc<ShedAnswers>,
    asker: Arc<dyn Observe>,
    answer: ShedAnswer,
}

impl ShedRequest {
    /// A request whose answer is to be found in `answers`, and interrupts the poll of `asker`.
    pub(crate) fn new(answers: &Arc<ShedAnswers>, asker: &Arc<dyn Observe>) -> Self {
        answers.set(ShedAnswer::Asked);
        let (answers, asker) = (Arc::clone(answers), Arc::clone(asker));
        Self { answers, asker, answer: ShedAnswer::Nobody }
    }

    /// Notes that a connection ends.
    pub(crate) fn ends(&mut self) {
        self.answer = ShedAnswer::Ends;
    }
}

impl Drop for ShedRequest {
    fn drop(&mut self) {
        self.answers.set(self.answer);
        self.asker.interrupt();
    }
}

impl fmt::Debug for ShedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShedRequest").field("answer", &self.answer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(since: u64) -> RestingTask {
        RestingTask { since, key: Key::of_no_slot(0) }
    }

    #[test]
    fn v11_the_longest_at_rest_comes_first_and_none_before_its_time() {
        let mut resting = RestingTasks::default();
        assert!(resting.may_search(0));
        resting.searched(vec![task(5), task(7), task(9)], 10);
        assert_eq!(resting.take(4), None);
        assert_eq!((resting.take(7), resting.take(7)), (Some(task(5)), Some(task(7))));
        assert_eq!(resting.take(7), None);
        assert!(!resting.may_search(1_000), "one is left, and has not rested long enough");
        assert_eq!(resting.take(9), Some(task(9)));
        assert!(!resting.may_search(109) && resting.may_search(110));
    }
}
