use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The number of edges whose counters lie in an array of fixed length: their numbers are known at compile time, so
/// that no bound is checked.
const NEAR: usize = 256;

/// How often each edge of a pool's machine was taken, by the number of the edge.
///
/// Each thread of the pool has a set of its own, as for [`Counters`](super::Counters).
#[derive(Debug)]
pub(crate) struct EdgeCounters {
    edges: usize,
    /// A set stays here when its thread has ended, because its counts are part of every sum.
    locals: Mutex<Vec<Arc<EdgeSet>>>,
}

/// The counters of one thread. They have one writer, so that counting is a plain load and store.
#[derive(Debug, Default)]
pub(crate) struct LocalEdges {
    /// The counters or, in a pool with a history, 1 for the edge that was just taken, until it is noted.
    set: Arc<EdgeSet>,
    /// The counters in a pool with a history.
    noted: Option<Arc<EdgeSet>>,
}

/// Aligned so that two sets do not share a cache line, nor the pair of lines that processors fetch
/// together.
#[derive(Debug)]
#[repr(align(128))]
struct EdgeSet {
    near: [AtomicU64; NEAR],
    /// Those of the other edges of a large machine.
    far: Box<[AtomicU64]>,
}

impl EdgeCounters {
    /// Counters for a machine with so many edges.
    pub(crate) fn new(edges: usize) -> Self {
        Self { edges, locals: Mutex::default() }
    }

    /// Makes a set of counters for a thread that starts. `are_noted` says whether its pool has a history.
    pub(crate) fn local(&self, are_noted: bool) -> LocalEdges {
        let set = Arc::new(EdgeSet::new(self.edges));
        self.locals.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&set));
        if are_noted {
            LocalEdges { set: Arc::new(EdgeSet::new(self.edges)), noted: Some(set) }
        } else {
            LocalEdges { set, noted: None }
        }
    }

    /// The sums of all threads. While threads run, they are those of no instant.
    pub(crate) fn sums(&self) -> Vec<u64> {
        let locals = self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |set: &EdgeSet, edge| {
            set.counter(edge).map_or(0, |found| found.load(Ordering::Relaxed))
        };
        (0..self.edges).map(|edge| locals.iter().map(|set| count(set, edge)).sum()).collect()
    }
}

impl LocalEdges {
    /// Counts an edge.
    #[inline]
    pub(crate) fn count(&self, edge: usize) {
        self.set.count(edge);
    }

    /// Whether transitions are noted in a history.
    #[inline]
    pub(crate) fn are_noted(&self) -> bool {
        self.noted.is_some()
    }

    /// The edge that was taken since the last call, in a pool with a history. It is looked for, because counting
    /// stores nothing that is not needed without a history.
    pub(crate) fn take_last(&self) -> Option<usize> {
        let noted = self.noted.as_ref()?;
        let edge = self.set.all().position(|counter| counter.load(Ordering::Relaxed) > 0)?;
        if let Some(last) = self.set.counter(edge) {
            last.store(0, Ordering::Relaxed);
        }
        noted.count(edge);
        Some(edge)
    }
}

impl EdgeSet {
    fn new(edges: usize) -> Self {
        let far = (NEAR..edges).map(|_| AtomicU64::new(0)).collect();
        Self { near: [const { AtomicU64::new(0) }; NEAR], far }
    }

    #[inline]
    fn count(&self, edge: usize) {
        if let Some(counter) = self.counter(edge) {
            counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    fn all(&self) -> impl Iterator<Item = &AtomicU64> {
        self.near.iter().chain(&*self.far)
    }

    #[inline]
    fn counter(&self, edge: usize) -> Option<&AtomicU64> {
        self.near.get(edge).or_else(|| self.far.get(edge - NEAR))
    }
}

impl Default for EdgeSet {
    fn default() -> Self {
        Self::new(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v8_counts_of_all_threads_are_summed_also_of_those_that_have_ended() {
        let counters = EdgeCounters::new(3);
        let (first, second) = (counters.local(false), counters.local(true));
        first.count(2);
        for edge in [2, 0] {
            second.count(edge);
            assert_eq!((second.take_last(), second.take_last()), (Some(edge), None));
        }
        assert!(second.are_noted() && !first.are_noted() && first.take_last().is_none());
        drop((first, second));
        assert_eq!(counters.sums(), [1, 0, 2]);
    }

    #[test]
    fn v8_a_large_machine_has_as_many_counters_as_edges() {
        let counters = EdgeCounters::new(NEAR + 2);
        let local = counters.local(false);
        for edge in [NEAR - 1, NEAR, NEAR + 1, NEAR + 1, NEAR + 2, usize::MAX] {
            local.count(edge);
        }
        assert_eq!(counters.sums()[NEAR - 2..], [0, 1, 1, 2]);
    }
}
