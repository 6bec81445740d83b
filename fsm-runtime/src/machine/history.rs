use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Key;

/// The tables of a history, of which a connection has its place in one: threads of one port rarely wait for each
/// other.
const TABLES: usize = 16;

/// The last transitions of the connections or jobs of a pool that are open.
#[derive(Debug)]
pub(crate) struct History {
    /// The number of transitions that are kept of each.
    most: usize,
    tables: [Mutex<HashMap<Key, VecDeque<RecordedEdge>>>; TABLES],
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordedEdge {
    /// The number of the edge in the machine.
    pub(crate) edge: usize,
    /// The time in milliseconds of the pool's clock.
    pub(crate) at: u64,
}

impl History {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, tables: Default::default() }
    }

    /// Notes a transition, and forgets the oldest one if there are too many.
    pub(crate) fn note(&self, key: Key, edge: usize, at: u64) {
        let mut table = self.table(key);
        let last = table.entry(key).or_default();
        if last.len() >= self.most {
            last.pop_front();
        } else if last.is_empty() {
            last.reserve_exact(self.most);
        }
        last.push_back(RecordedEdge { edge, at });
    }

    /// The last transitions, the oldest first.
    pub(crate) fn of(&self, key: Key) -> Vec<RecordedEdge> {
        self.table(key).get(&key).map(|last| last.iter().copied().collect()).unwrap_or_default()
    }

    /// Forgets a connection or job that has ended.
    pub(crate) fn forget(&self, key: Key) {
        let forgotten = self.table(key).remove(&key);
        drop(forgotten);
    }

    fn table(&self, key: Key) -> MutexGuard<'_, HashMap<Key, VecDeque<RecordedEdge>>> {
        let table = &self.tables[key.index() as usize % TABLES];
        table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v9_the_last_transitions_are_kept_until_the_connection_ends() {
        let history = History::new(2);
        // Both have their place in one table.
        let (first, second) = (Key::new(3, 1), Key::new(3 + 16, 1));
        assert_eq!(TABLES, 16);
        for (edge, at) in [(0, 10), (4, 20), (1, 30)] {
            history.note(first, edge, at);
        }
        history.note(second, 7, 40);
        assert_eq!(
            history.of(first),
            [RecordedEdge { edge: 4, at: 20 }, RecordedEdge { edge: 1, at: 30 }]
        );
        history.forget(first);
        assert_eq!((history.of(first).len(), history.of(second).len()), (0, 1));
        assert!(history.table(first).capacity() > 0 && history.table(first).len() == 1);
    }
}
