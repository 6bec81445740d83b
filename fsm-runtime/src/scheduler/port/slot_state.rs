use std::num::NonZeroU64;

use crate::net::readiness::Readiness;

/// The state of a slot: readiness that has arrived since its last turn began, and the time of its
/// entry in the timers. Both are in one number, to save memory for each connection: the time in the
/// upper bits, the readiness in the lower ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct SlotState(NonZeroU64);

/// The bits of readiness.
const BITS: u32 = 8;
/// The time of a slot without an entry. No deadline is as late.
const NEVER: u64 = u64::MAX >> BITS;

impl SlotState {
    /// A state without an entry in the timers.
    pub(super) fn new(ready: Readiness) -> Self {
        Self(NonZeroU64::MIN | NEVER << BITS).with(ready)
    }

    #[inline]
    fn with(self, ready: Readiness) -> Self {
        // The time is never 0, so the number is never 0 either.
        let time = self.0.get() >> BITS << BITS;
        Self(NonZeroU64::new(time | u64::from(ready.bits())).unwrap_or(NonZeroU64::MAX))
    }

    #[inline]
    pub(super) fn ready(self) -> Readiness {
        let [.., ready] = self.0.get().to_be_bytes();
        Readiness::from_bits(ready)
    }

    /// Adds to the readiness.
    #[inline]
    pub(super) fn add_readiness(&mut self, ready: Readiness) {
        *self = self.with(self.ready() | ready);
    }

    #[inline]
    pub(super) fn take_ready(&mut self) -> Readiness {
        let ready = self.ready();
        *self = self.with(Readiness::NONE);
        ready
    }

    /// The time of the entry; the largest number if there is none.
    #[inline]
    pub(super) fn scheduled(self) -> u64 {
        let time = self.0.get() >> BITS;
        if time == NEVER { u64::MAX } else { time }
    }

    /// Whether this deadline needs another entry, because the present one comes up later or there is none.
    #[inline]
    pub(super) fn is_later_than(self, due: u64) -> bool {
        // `NEVER` is later than all deadlines but those in millions of years.
        due < self.0.get() >> BITS
    }

    pub(super) fn is_scheduled(self) -> bool {
        self.scheduled() != u64::MAX
    }

    pub(super) fn schedule(&mut self, at: u64) {
        let time = at.clamp(1, NEVER - 1);
        let bits = time << BITS | u64::from(self.ready().bits());
        self.0 = NonZeroU64::new(bits).unwrap_or(NonZeroU64::MAX);
    }

    pub(super) fn unschedule(&mut self) {
        *self = Self::new(self.ready());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_keeps_the_time_and_the_readiness_apart() {
        let mut state = SlotState::new(Readiness::WRITE);
        assert!(!state.is_scheduled());
        state.schedule(7);
        state.add_readiness(Readiness::READ);
        assert_eq!((state.scheduled(), state.ready()), (7, Readiness::READ | Readiness::WRITE));
        assert_eq!(state.take_ready(), Readiness::READ | Readiness::WRITE);
        assert_eq!((state.scheduled(), state.ready()), (7, Readiness::NONE));
        state.add_readiness(Readiness::READ);
        state.unschedule();
        assert_eq!((state.is_scheduled(), state.ready()), (false, Readiness::READ));
    }

    #[test]
    fn only_earlier_deadlines_overtake_an_entry() {
        let mut state = SlotState::new(Readiness::READ);
        assert!(state.is_later_than(7) && !state.is_later_than(u64::MAX));
        state.schedule(7);
        assert!(
            state.is_later_than(6) && !state.is_later_than(7) && !state.is_later_than(u64::MAX)
        );
    }
}
