use std::sync::{Mutex, PoisonError};

use crate::Peer;
use crate::net::send_buffer::UnsentOutput;

/// Input, output and deadlines that are pending between two turns of a connection. They lie in a
/// box of their own, because most connections have none of them.
pub(crate) struct PendingIo<P> {
    pub(crate) input: Vec<u8>,
    /// The progress of decoding `input`.
    pub(crate) progress: P,
    /// The progress of decoding the input of the other socket, in a state that waits for both.
    pub(crate) other_progress: Option<Box<P>>,
    pub(crate) output: UnsentOutput,
    /// The time by which the peer must have taken some of the output, in milliseconds of the pool's
    /// clock; `u64::MAX` if no output is queued.
    pub(crate) send_by: u64,
    /// A deadline has passed since the queued output was last below the mark.
    pub(crate) expired_while_full: bool,
    /// A new connection, for which the first turn makes the handler.
    pub(crate) incoming: Option<NewConnection>,
}

/// Facts for the first turn of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewConnection {
    pub(crate) peer: Peer,
    /// The number of the target, if the pool has opened the connection itself.
    pub(crate) target: Option<usize>,
}

impl<P: Default> Default for PendingIo<P> {
    fn default() -> Self {
        Self {
            input: Vec::new(),
            progress: P::default(),
            other_progress: None,
            output: UnsentOutput::default(),
            send_by: u64::MAX,
            expired_while_full: false,
            incoming: None,
        }
    }
}

/// Empty boxes to use again. They save an allocation for each connection, because every connection
/// needs a box from `accept` until its first turn.
pub(crate) struct FreeList<P>(Mutex<Vec<Box<PendingIo<P>>>>);

/// The most boxes that a list keeps.
const MAX_FREE: usize = 256;

impl<P> Default for FreeList<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P: Default> FreeList<P> {
    /// Moves `pending` into a box of the list, or into a new one if the list is empty.
    pub(crate) fn fill(&self, pending: PendingIo<P>) -> Box<PendingIo<P>> {
        let free = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match free {
            Some(mut free) => {
                *free = pending;
                free
            }
            None => Box::new(pending),
        }
    }

    /// Moves the content out of the box, and the box back into the list.
    pub(crate) fn empty(&self, mut full: Box<PendingIo<P>>) -> PendingIo<P> {
        let pending = std::mem::take(&mut *full);
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MAX_FREE {
            free.push(full);
        }
        pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_used_again_and_the_list_is_bounded() {
        let free_list = FreeList::<()>::default();
        let full: Vec<_> = (0..2 * MAX_FREE)
            .map(|n| {
                free_list.fill(PendingIo { expired_while_full: n % 2 == 1, ..PendingIo::default() })
            })
            .collect();
        let first = &raw const *full[0];
        for (n, full) in full.into_iter().enumerate() {
            assert_eq!(free_list.empty(full).expired_while_full, n % 2 == 1);
        }
        assert_eq!(free_list.0.lock().unwrap().len(), MAX_FREE);
        let again: Vec<_> = (0..MAX_FREE).map(|_| free_list.fill(PendingIo::default())).collect();
        assert!(again.iter().any(|full| &raw const **full == first));
    }
}
