use std::sync::{Mutex, PoisonError};

use crate::Peer;
use crate::net::send_buffer::UnsentOutput;

/// What most connections do not have between two turns, in a box of its own.
pub(crate) struct PendingIo<P> {
    pub(crate) input: Vec<u8>,
    /// How far a decoder has seen the input.
    pub(crate) progress: P,
    pub(crate) output: UnsentOutput,
    /// When the peer must have taken some of the output; `u64::MAX` where there is none.
    pub(crate) send_by: u64,
    /// A deadline has passed since there was less output than the mark.
    pub(crate) expired_while_full: bool,
    /// Whom the handler is made for that is not there yet.
    pub(crate) incoming: Option<Peer>,
}

impl<P: Default> Default for PendingIo<P> {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            progress: P::default(),
            output: UnsentOutput::default(),
            send_by: u64::MAX,
            expired_while_full: false,
            incoming: None,
        }
    }
}

/// Boxes to be used again, so that connections come and go without allocating: each needs one until
/// its first turn.
pub(crate) struct FreeList<P>(Mutex<Vec<Box<PendingIo<P>>>>);

/// More are not kept.
const SPARES: usize = 256;

impl<P> Default for FreeList<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P: Default> FreeList<P> {
    /// A box with that in it.
    #[expect(clippy::unnecessary_box_returns, reason = "the box is what it is about")]
    pub(crate) fn fill(&self, pending: PendingIo<P>) -> Box<PendingIo<P>> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match spare {
            Some(mut spare) => {
                *spare = pending;
                spare
            }
            None => Box::new(pending),
        }
    }

    /// What is in the box.
    pub(crate) fn empty(&self, mut full: Box<PendingIo<P>>) -> PendingIo<P> {
        let pending = std::mem::take(&mut *full);
        let mut free_list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free_list.len() < SPARES {
            free_list.push(full);
        }
        pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_used_again_and_none_are_kept_without_bound() {
        let free_list = FreeList::<()>::default();
        let full: Vec<_> = (0..2 * SPARES)
            .map(|n| {
                free_list.fill(PendingIo { expired_while_full: n % 2 == 1, ..PendingIo::default() })
            })
            .collect();
        let first = &raw const *full[0];
        for (n, full) in full.into_iter().enumerate() {
            assert_eq!(free_list.empty(full).expired_while_full, n % 2 == 1);
        }
        assert_eq!(free_list.0.lock().unwrap().len(), SPARES);
        let again: Vec<_> = (0..SPARES).map(|_| free_list.fill(PendingIo::default())).collect();
        assert!(again.iter().any(|full| &raw const **full == first));
    }
}
