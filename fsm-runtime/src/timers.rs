use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::Key;

/// When to look at which connection.
///
/// Deadlines are nearly always moved or cleared before they pass, so a connection has one entry
/// here, for the earliest time at which it may have to be looked at, and moving its deadline
/// further away costs nothing: when the entry comes up, the connection says when it is really due.
/// Only a deadline before that entry makes another one. Entries of connections that are gone, or
/// that were overtaken, are counted, and swept when they are the larger part.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(u64, Key)>>,
    stale: usize,
}

/// Below this many entries a sweep is not worth its while.
const SWEEP_FROM: usize = 64;

impl Timers {
    pub(crate) fn insert(&mut self, at: u64, key: Key) {
        self.heap.push(Reverse((at, key)));
    }

    /// The time of the first entry.
    pub(crate) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Removes the first entry if its time has come.
    pub(crate) fn pop(&mut self, now: u64) -> Option<(u64, Key)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }

    /// An entry that came up and meant nothing.
    pub(crate) fn met_stale(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// One entry means nothing any more. When most are such, only those that are `live` stay.
    pub(crate) fn made_stale(&mut self, live: impl Fn(u64, Key) -> bool) {
        self.stale += 1;
        if self.stale > SWEEP_FROM && self.stale > self.heap.len() / 2 {
            self.heap.retain(|Reverse((at, key))| live(*at, *key));
            self.heap.shrink_to(self.heap.len() * 2);
            self.stale = 0;
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_up_in_the_order_of_their_times() {
        let mut timers = Timers::default();
        for at in [30, 10, 20] {
            timers.insert(at, Key::new(at.try_into().unwrap(), 0));
        }
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.pop(9), None);
        assert_eq!(timers.pop(20), Some((10, Key::new(10, 0))));
        assert_eq!(timers.pop(20), Some((20, Key::new(20, 0))));
        assert_eq!(timers.pop(20), None);
    }

    #[test]
    fn x6_entries_of_the_dead_do_not_pile_up() {
        let mut timers = Timers::default();
        for n in 0..100_000 {
            timers.insert(1_000_000, Key::new(0, n));
            timers.made_stale(|_, _| false);
        }
        assert!(timers.len() <= 2 * SWEEP_FROM, "{} entries", timers.len());
    }
}
