use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::key::SLOTS;

/// A heap of times, each with the slot whose deadline may pass then.
///
/// Deadlines are nearly always moved or cleared before they pass. So a connection has one entry
/// here, and moving its deadline further away costs nothing: when the entry comes up, the port asks
/// the connection for its deadline. Only a deadline before that entry makes another one. Entries of
/// connections that are gone, and those replaced by an earlier one, are stale: they are counted, and
/// removed when they are the larger part.
///
/// An entry is one number, the time in the upper bits and the slot in the lower ones, so that an idle
/// connection takes little memory. Times are counted from a base that follows the clock, because the
/// upper bits have room for some years only. An entry further away comes up early, and is inserted
/// again.
#[derive(Debug, Default)]
pub(crate) struct TimerHeap {
    heap: BinaryHeap<Reverse<u64>>,
    base: u64,
    stale: usize,
}

/// The number of stale entries up to which a sweep is not worth its cost.
const SWEEP_FROM: usize = 64;
/// The bits of an entry that name the slot.
const SLOT_BITS: u32 = SLOTS.trailing_zeros();
/// The furthest time from the base: 8 years or more.
const SPAN: u64 = u64::MAX >> SLOT_BITS;

impl TimerHeap {
    /// Inserts an entry. Returns the time at which it comes up, which is `at` or earlier.
    pub(crate) fn insert(&mut self, at: u64, slot: usize) -> u64 {
        let after = at.saturating_sub(self.base).min(SPAN);
        self.heap.push(Reverse(after << SLOT_BITS | slot as u64));
        self.base + after
    }

    /// The time of the first entry.
    pub(crate) fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| self.time(*entry))
    }

    /// Removes the first entry if its time has come.
    pub(crate) fn pop(&mut self, now: u64) -> Option<(u64, usize)> {
        if now.saturating_sub(self.base) > SPAN / 2 {
            self.move_base(now);
        }
        if self.next()? > now {
            return None;
        }
        let Reverse(entry) = self.heap.pop()?;
        Some((self.time(entry), slot(entry)))
    }

    /// Notes that a stale entry came up.
    pub(crate) fn met_stale(&mut self) {
        self.stale = self.stale.saturating_sub(1);
    }

    /// Notes that an entry became stale. When most entries are stale, only those that are `live` stay.
    pub(crate) fn made_stale(&mut self, live: impl Fn(u64, usize) -> bool) {
        self.stale += 1;
        if self.stale > SWEEP_FROM && self.stale > self.heap.len() / 2 {
            self.sweep(&live);
        }
    }

    /// Removes the entries that are not `live`. Compiled once, and not for each machine.
    #[cold]
    fn sweep(&mut self, live: &dyn Fn(u64, usize) -> bool) {
        let base = self.base;
        self.heap.retain(|Reverse(entry)| live(base + (entry >> SLOT_BITS), slot(*entry)));
        // Twice the length, because a heap with many changes grows again at once.
        if self.heap.capacity() / 8 > self.heap.len().max(SWEEP_FROM) {
            self.heap.shrink_to(self.heap.len() * 2);
        }
        self.stale = 0;
    }

    fn time(&self, entry: u64) -> u64 {
        self.base + (entry >> SLOT_BITS)
    }

    /// Moves the base to now or to the first entry. This happens once in some years.
    #[cold]
    fn move_base(&mut self, now: u64) {
        let base = self.next().map_or(now, |first| first.min(now));
        let by = base - self.base;
        let entries = std::mem::take(&mut self.heap).into_iter();
        self.heap = entries.map(|Reverse(entry)| Reverse(entry - (by << SLOT_BITS))).collect();
        self.base = base;
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.heap.len()
    }
}

fn slot(entry: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "it is one of the slots")]
    let slot = (entry & (SLOTS as u64 - 1)) as usize;
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pitfall_15_entries_come_up_in_the_order_of_their_times() {
        let mut timers = TimerHeap::default();
        for at in [30, 10, 20] {
            assert_eq!(timers.insert(at, at.try_into().unwrap()), at);
        }
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.pop(9), None);
        assert_eq!(timers.pop(20), Some((10, 10)));
        assert_eq!(timers.pop(20), Some((20, 20)));
        assert_eq!(timers.pop(20), None);
    }

    #[test]
    fn x6_entries_of_the_dead_do_not_pile_up() {
        let mut timers = TimerHeap::default();
        for _ in 0..100_000 {
            timers.insert(1_000_000, 0);
            timers.made_stale(|_, _| false);
        }
        assert!(timers.len() <= 2 * SWEEP_FROM, "{} entries", timers.len());
    }

    #[test]
    fn pitfall_23_decades_of_uptime_do_not_wrap_a_timer() {
        const YEAR: u64 = 365 * 24 * 3600 * 1000;
        let mut timers = TimerHeap::default();
        let mut now = 1;
        // One that is put off again and again, and one that is due every year.
        let mut far = timers.insert(u64::MAX, 1);
        let mut near = timers.insert(now + YEAR, 2);
        for _ in 0..200 {
            now += YEAR;
            while let Some((at, slot)) = timers.pop(now) {
                assert!(at <= now);
                if slot == 1 {
                    assert_eq!(at, far);
                    far = timers.insert(u64::MAX, 1);
                    assert!(far > now + YEAR);
                } else {
                    assert_eq!((at, slot), (near, 2));
                    near = timers.insert(now + YEAR, 2);
                    assert_eq!(near, now + YEAR);
                }
            }
            assert_eq!(near, now + YEAR, "it has come up");
        }
    }
}
