use std::iter;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Accounting, Ended, Stats};

/// The reasons to end. `Ended` counts from 0, so they index an array.
const REASONS: usize = Ended::Moved as usize + 1;

/// The counters of a pool. [`snapshot`](Counters::snapshot) sums them to [`Stats`].
///
/// Each thread of the pool has a set of its own, so that no two of them write to one cache line for
/// each connection. One shared set is for all others: threads of other pools that hand something
/// over, plain threads that submit jobs, and events that are rare.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    shared: CounterSet,
    /// A set stays here when its thread has ended, because its counts are part of every sum.
    locals: Mutex<Vec<Arc<CounterSet>>>,
}

/// The counters of one thread, or of an object that one thread at a time owns. They have one writer,
/// so that counting is a plain load and store.
#[derive(Debug)]
pub(crate) struct LocalCounters(Arc<CounterSet>);

/// Aligned so that two sets do not share a cache line, nor the pair of lines that processors fetch
/// together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct CounterSet {
    accepted: AtomicU64,
    ended: [AtomicU64; REASONS],
    stale: AtomicU64,
    accept_failures: AtomicU64,
    turned_away: AtomicU64,
    connect_failures: AtomicU64,
    datagrams_dropped: AtomicU64,
    datagrams_unsent: AtomicU64,
}

impl Counters {
    /// Makes a set of counters for a thread that starts.
    pub(crate) fn local(&self) -> LocalCounters {
        let set = Arc::<CounterSet>::default();
        self.locals.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&set));
        LocalCounters(set)
    }

    pub(crate) fn accepted(&self) {
        add_shared(&self.shared.accepted);
    }

    pub(crate) fn ended(&self, why: Ended) {
        add_shared(&self.shared.ended[why as usize]);
    }

    pub(crate) fn stale(&self) {
        add_shared(&self.shared.stale);
    }

    pub(crate) fn accept_failed(&self) {
        add_shared(&self.shared.accept_failures);
    }

    pub(crate) fn turned_away(&self) {
        add_shared(&self.shared.turned_away);
    }

    pub(crate) fn connect_failed(&self) {
        add_shared(&self.shared.connect_failures);
    }

    pub(crate) fn datagrams_dropped(&self, datagrams: usize) {
        self.shared.datagrams_dropped.fetch_add(datagrams as u64, Ordering::Release);
    }

    pub(crate) fn datagram_unsent(&self) {
        add_shared(&self.shared.datagrams_unsent);
    }

    /// Sums the counters of all threads. `accepted` is never less than the number of those that
    /// ended.
    ///
    /// That holds because all ends are read before any acceptance. A connection whose end was read was
    /// accepted before, and the acquiring load of the end makes its acceptance visible. The thread that
    /// accepted it had its set before that, and the lock keeps the list of sets unchanged meanwhile.
    pub(crate) fn snapshot(&self, accounting: Accounting) -> Stats {
        let locals = self.locals.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |counter: &dyn Fn(&CounterSet) -> &AtomicU64| -> u64 {
            let sets = iter::once(&self.shared).chain(locals.iter().map(|set| &**set));
            sets.map(|set| counter(set).load(Ordering::Acquire)).sum()
        };
        let ended = |why: Ended| sum(&|set| &set.ended[why as usize]);
        let mut stats = Stats {
            accepted: 0,
            open: 0,
            done: ended(Ended::Done),
            failed: ended(Ended::Failed),
            reset: ended(Ended::Reset),
            truncated: ended(Ended::Truncated),
            tls_failures: ended(Ended::TlsFailed),
            layer_failures: ended(Ended::LayerFailed),
            panicked: ended(Ended::Panicked),
            send_timeouts: ended(Ended::SendTimeout),
            busy_loops: ended(Ended::BusyLoop),
            drained: ended(Ended::Drained),
            shed: ended(Ended::Shed),
            closed: ended(Ended::Closed),
            handed_off: ended(Ended::HandedOff),
            moved: ended(Ended::Moved),
            stale: sum(&|set| &set.stale),
            accept_failures: sum(&|set| &set.accept_failures),
            turned_away: sum(&|set| &set.turned_away),
            connect_failures: sum(&|set| &set.connect_failures),
            datagrams_dropped: sum(&|set| &set.datagrams_dropped),
            datagrams_unsent: sum(&|set| &set.datagrams_unsent),
            offered: accounting.offered,
            taken: accounting.taken,
            refused: accounting.refused,
            abandoned: accounting.abandoned,
            waiting: accounting.waiting,
            peak: accounting.peak,
        };
        stats.accepted = sum(&|set| &set.accepted);
        stats.open = stats.accepted.saturating_sub(stats.ended());
        stats
    }
}

impl LocalCounters {
    #[inline]
    pub(crate) fn accepted(&mut self) {
        add_exclusive(&self.0.accepted);
    }

    #[inline]
    pub(crate) fn ended(&mut self, why: Ended) {
        add_exclusive(&self.0.ended[why as usize]);
    }
}

fn add_shared(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Release);
}

/// Adds one to a counter that has no other writer: the caller owns the only `LocalCounters` of the
/// set.
#[inline]
fn add_exclusive(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Release);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_snapshot_sums_all_sets_and_keeps_those_of_ended_threads() {
        let counters = Counters::default();
        let mut first = counters.local();
        let mut second = counters.local();
        counters.accepted();
        first.accepted();
        second.accepted();
        second.accepted();
        first.ended(Ended::Done);
        drop(first);
        second.ended(Ended::HandedOff);
        counters.ended(Ended::Done);
        counters.stale();
        counters.accept_failed();
        let stats = counters.snapshot(Accounting { waiting: 7, ..Accounting::default() });
        assert_eq!((stats.accepted, stats.open), (4, 1));
        assert_eq!((stats.done, stats.handed_off), (2, 1));
        assert_eq!((stats.stale, stats.accept_failures, stats.waiting), (1, 1, 7));
    }

    /// Connections are accepted on one thread and end on another one, while a third one reads.
    #[test]
    fn no_snapshot_has_more_ends_than_acceptances() {
        const CONNECTIONS: u64 = 20_000;
        let counters = Counters::default();
        let (sender, accepted) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut local = counters.local();
                for number in 0..CONNECTIONS {
                    if number % 2 == 0 {
                        local.accepted();
                    } else {
                        counters.accepted();
                    }
                    sender.send(()).unwrap();
                }
                drop(sender);
            });
            scope.spawn(|| {
                let mut local = counters.local();
                for ((), number) in accepted.into_iter().zip(0..) {
                    let why = if number % 3 == 0 { Ended::Done } else { Ended::Reset };
                    if number % 5 == 0 { counters.ended(why) } else { local.ended(why) }
                }
            });
            loop {
                let stats = counters.snapshot(Accounting::default());
                assert!(stats.accepted >= stats.ended(), "{stats:?}");
                if stats.ended() == CONNECTIONS {
                    break;
                }
            }
        });
    }
}
