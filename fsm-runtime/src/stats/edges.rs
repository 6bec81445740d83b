use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters behind those of a thread that are never used, so that the sets of two threads do not share a cache
/// line, nor the pair of lines that processors fetch together.
const SPARE: usize = 128 / size_of::<AtomicU64>();

/// How often each edge of a pool's machine was taken, by the number of the edge.
///
/// Each thread of the pool has a set of its own, as for [`Counters`](super::Counters).
#[derive(Debug)]
pub(crate) struct EdgeCounters {
    edges: usize,
    /// A set stays here when its thread has ended, because its counts are part of every sum.
    locals: Mutex<Vec<Arc<[AtomicU64]>>>,
}

/// The counters of one thread. They have one writer, so that counting is a plain load and store.
#[derive(Debug, Default)]
pub(crate) struct LocalEdges {
    /// The counters, or none if more than a count is noted of each transition.
    alone: Arc<[AtomicU64]>,
    all: Arc<[AtomicU64]>,
}

impl EdgeCounters {
    /// Counters for a machine with so many edges.
    pub(crate) fn new(edges: usize) -> Self {
        Self { edges, locals: Mutex::default() }
    }

    /// Makes a set of counters for a thread that starts. `noted` says whether something is noted of each
    /// transition beside its count.
    pub(crate) fn local(&self, noted: bool) -> LocalEdges {
        let all: Arc<[AtomicU64]> = (0..self.edges + SPARE).map(|_| AtomicU64::new(0)).collect();
        self.locals.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&all));
        LocalEdges { alone: if noted { Arc::default() } else { Arc::clone(&all) }, all }
    }

    /// The sums of all threads. While threads run, they are those of no instant.
    pub(crate) fn sums(&self) -> Vec<u64> {
        let locals = self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |edge: usize| locals.iter().map(|set| set[edge].load(Ordering::Relaxed)).sum();
        (0..self.edges).map(sum).collect()
    }
}

impl LocalEdges {
    /// Counts an edge, if nothing else is to be noted. Returns whether it did.
    ///
    /// A machine's edges are numbered at compile time, so that this is a comparison, a load and an increment.
    #[inline]
    pub(crate) fn count_alone(&self, edge: usize) -> bool {
        let Some(counter) = self.alone.get(edge) else { return false };
        add(counter);
        true
    }

    /// Counts an edge.
    pub(crate) fn count(&self, edge: usize) {
        if let Some(counter) = self.all.get(edge) {
            add(counter);
        }
    }
}

/// Adds one to a counter that has no other writer.
#[inline]
fn add(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v7_counts_of_all_threads_are_summed_also_of_those_that_have_ended() {
        let counters = EdgeCounters::new(3);
        let (first, second) = (counters.local(false), counters.local(true));
        assert!(first.count_alone(2));
        // The second one notes more, so the caller must.
        assert!(!second.count_alone(2));
        second.count(2);
        second.count(0);
        second.count(usize::MAX);
        drop((first, second));
        assert_eq!(counters.sums(), [1, 0, 2]);
    }
}
