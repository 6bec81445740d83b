use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use crate::call::semaphore::Semaphore;

/// The pool has as many connections as it may have.
const AT_LIMIT: u8 = 1;
/// Another process accepts, or will soon (U6).
const HELD: u8 = 2;
/// It also has the data, so that nobody may come in here any more.
const TURNS_AWAY: u8 = 4;

/// Decides whether the listeners of a pool accept.
///
/// Accepting pauses at the limit of connections and resumes at a low-water mark (X9), so that the
/// listeners do not stop and start with each connection at the limit. A listener that found no free
/// descriptor waits until a connection has ended. In a drain the shards stop accepting one by one.
#[derive(Debug)]
pub(crate) struct AcceptGate {
    /// [`AT_LIMIT`], [`HELD`] and [`TURNS_AWAY`], in one so that a look at all costs one load.
    paused: AtomicU8,
    /// The low-water mark: accepting resumes when this number of permits is out, or fewer.
    resume_at: AtomicUsize,
    /// Some listener waits for a free descriptor.
    out_of_descriptors: AtomicBool,
    /// The number of shards that may still accept.
    accepting: AtomicUsize,
}

impl AcceptGate {
    pub(crate) fn new(resume_at: usize) -> Self {
        Self {
            paused: AtomicU8::new(0),
            resume_at: AtomicUsize::new(resume_at),
            out_of_descriptors: AtomicBool::new(false),
            accepting: AtomicUsize::new(0),
        }
    }

    pub(super) fn set_low_water_mark(&self, permits: usize) {
        self.resume_at.store(permits, Ordering::SeqCst);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst) != 0
    }

    /// Pauses accepting. Returns whether it was not paused before.
    pub(super) fn pause(&self) -> bool {
        self.paused.fetch_or(AT_LIMIT, Ordering::SeqCst) & AT_LIMIT == 0
    }

    /// Stops accepting until [`resume_held`](Self::resume_held), because another process does it.
    #[cfg(any(test, unix))]
    pub(super) fn hold(&self) {
        self.paused.fetch_or(HELD, Ordering::SeqCst);
    }

    /// Lets not even those in, in a drain, who were accepted before the hold and have no place.
    #[cfg(any(test, unix))]
    pub(super) fn turn_away(&self) {
        self.paused.fetch_or(TURNS_AWAY, Ordering::SeqCst);
    }

    /// Undoes [`hold`](Self::hold) and [`turn_away`](Self::turn_away).
    #[cfg(any(test, unix))]
    pub(super) fn resume_held(&self) {
        self.paused.fetch_and(!(HELD | TURNS_AWAY), Ordering::SeqCst);
    }

    pub(crate) fn is_at_limit(&self) -> bool {
        self.paused.load(Ordering::SeqCst) & AT_LIMIT != 0
    }

    pub(crate) fn is_held(&self) -> bool {
        self.paused.load(Ordering::SeqCst) & HELD != 0
    }

    /// Whether those have to go who were accepted before the hold and have no place.
    pub(crate) fn turns_away(&self) -> bool {
        self.paused.load(Ordering::SeqCst) & TURNS_AWAY != 0
    }

    /// Resumes accepting if it is paused and no more permits are out than the low-water mark.
    /// Returns whether this call resumed it.
    #[inline]
    pub(super) fn resume_if_low(&self, permits: &Semaphore) -> bool {
        self.is_paused()
            && permits.out() <= self.resume_at.load(Ordering::SeqCst)
            && self.paused.fetch_and(!AT_LIMIT, Ordering::SeqCst) & AT_LIMIT != 0
    }

    /// Notes that a listener waits for a free descriptor.
    pub(crate) fn set_out_of_descriptors(&self) {
        self.out_of_descriptors.store(true, Ordering::SeqCst);
    }

    /// Whether no connection has ended since a listener found no free descriptor.
    pub(crate) fn is_out_of_descriptors(&self) -> bool {
        self.out_of_descriptors.load(Ordering::SeqCst)
    }

    /// Notes that a descriptor was closed. Returns whether a listener waited for one.
    #[inline]
    pub(super) fn descriptor_freed(&self) -> bool {
        // The load comes first because it is cheap, and the answer is nearly always no.
        self.is_out_of_descriptors() && self.out_of_descriptors.swap(false, Ordering::SeqCst)
    }

    /// Sets the number of shards that accept, before any of them starts.
    pub(super) fn open(&self, shards: usize) {
        self.accepting.store(shards, Ordering::SeqCst);
    }

    /// Notes that a shard has accepted its last connection.
    pub(super) fn shard_stopped(&self) {
        self.accepting.fetch_sub(1, Ordering::SeqCst);
    }

    /// Whether no shard accepts any more, or none ever did.
    pub(super) fn is_shut(&self) -> bool {
        self.accepting.load(Ordering::SeqCst) == 0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn x9_accepting_resumes_once_and_only_at_the_low_water_mark() {
        let permits = Arc::new(Semaphore::new(3));
        let gate = AcceptGate::new(1);
        let mut held: Vec<_> = (0..3).map(|_| permits.try_acquire().ok()).collect();
        assert!(!gate.resume_if_low(&permits), "it was not paused");
        assert!(gate.pause(), "the first pause is news");
        assert!(!gate.pause(), "the second is not");
        held.pop();
        assert!(!gate.resume_if_low(&permits) && gate.is_paused(), "two are out");
        held.pop();
        assert!(gate.resume_if_low(&permits) && !gate.is_paused());
        assert!(!gate.resume_if_low(&permits), "one caller resumes it");
    }

    #[test]
    fn u6_a_gate_that_is_held_opens_for_no_other_reason() {
        let permits = Arc::new(Semaphore::new(1));
        let gate = AcceptGate::new(1);
        gate.hold();
        assert!(gate.is_paused() && gate.is_held());
        assert!(gate.pause(), "it was not at the limit");
        assert!(gate.resume_if_low(&permits) && gate.is_paused(), "another process accepts");
        gate.pause();
        gate.turn_away();
        assert!(gate.turns_away());
        gate.resume_held();
        assert!(gate.is_at_limit() && !gate.is_held() && !gate.turns_away(), "still at the limit");
        assert!(gate.resume_if_low(&permits) && !gate.is_paused());
    }

    #[test]
    fn a_freed_descriptor_wakes_one_wait() {
        let gate = AcceptGate::new(1);
        assert!(!gate.descriptor_freed());
        gate.set_out_of_descriptors();
        assert!(gate.descriptor_freed());
        assert!(!gate.descriptor_freed() && !gate.is_out_of_descriptors());
    }

    #[test]
    fn the_gate_is_shut_when_the_last_shard_has_stopped() {
        let gate = AcceptGate::new(1);
        assert!(gate.is_shut(), "a pool without listeners");
        gate.open(2);
        gate.shard_stopped();
        assert!(!gate.is_shut());
        gate.shard_stopped();
        assert!(gate.is_shut());
    }
}
