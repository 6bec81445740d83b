use std::sync::{Mutex, PoisonError};

use crate::Peer;
use crate::input::Seen;
use crate::output::Kept;

/// What most connections do not have between two turns, in a box of its own.
pub(crate) struct Cold<P> {
    pub(crate) input: Vec<u8>,
    pub(crate) seen: Seen<P>,
    pub(crate) output: Kept,
    /// When the peer must have taken some of the output; `u64::MAX` where there is none.
    pub(crate) stalled_by: u64,
    /// A deadline has passed since there was less output than the mark.
    pub(crate) overdue: bool,
    /// Whom the handler is made for that is not there yet.
    pub(crate) newcomer: Option<Peer>,
}

impl<P: Default> Default for Cold<P> {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            seen: Seen::default(),
            output: Kept::default(),
            stalled_by: u64::MAX,
            overdue: false,
            newcomer: None,
        }
    }
}

/// Boxes to be used again, so that connections come and go without allocating: each needs one until
/// its first turn.
pub(crate) struct Spares<P>(Mutex<Vec<Box<Cold<P>>>>);

/// More are not kept.
const SPARES: usize = 256;

impl<P> Default for Spares<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P: Default> Spares<P> {
    /// A box with that in it.
    #[expect(clippy::unnecessary_box_returns, reason = "the box is what it is about")]
    pub(crate) fn fill(&self, cold: Cold<P>) -> Box<Cold<P>> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match spare {
            Some(mut spare) => {
                *spare = cold;
                spare
            }
            None => Box::new(cold),
        }
    }

    /// What is in the box.
    pub(crate) fn empty(&self, mut full: Box<Cold<P>>) -> Cold<P> {
        let cold = std::mem::take(&mut *full);
        let mut spares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spares.len() < SPARES {
            spares.push(full);
        }
        cold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_used_again_and_none_are_kept_without_bound() {
        let spares = Spares::<()>::default();
        let full: Vec<_> = (0..2 * SPARES)
            .map(|n| spares.fill(Cold { overdue: n % 2 == 1, ..Cold::default() }))
            .collect();
        let first = &raw const *full[0];
        for (n, full) in full.into_iter().enumerate() {
            assert_eq!(spares.empty(full).overdue, n % 2 == 1);
        }
        assert_eq!(spares.0.lock().unwrap().len(), SPARES);
        let again: Vec<_> = (0..SPARES).map(|_| spares.fill(Cold::default())).collect();
        assert!(again.iter().any(|full| &raw const **full == first));
    }
}
