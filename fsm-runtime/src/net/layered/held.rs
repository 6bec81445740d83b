use std::cell::RefCell;
use std::io;

use super::outgoing::UnsentBytes;

/// Bytes and counts that most connections with a codec do not have between two turns.
#[derive(Debug)]
pub(super) struct Held {
    /// Bytes that were read and not processed.
    pub(super) incoming: Vec<u8>,
    /// Plaintext that a read had no room for.
    pub(super) rest: Vec<u8>,
    /// Output of the codec that the stream has not taken.
    pub(super) outgoing: UnsentBytes,
    /// The bytes of plaintext whose output has left, and whose writes do not know it yet.
    pub(super) written: usize,
    /// The failure that a `#[tls]` state has to learn.
    pub(super) failure: RefCell<Option<io::Error>>,
    /// The time by which the handshake must be over, or the peer must have taken some of `outgoing`, in
    /// milliseconds of the pool's clock; `u64::MAX` if it is not set.
    pub(super) due: u64,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            incoming: Vec::new(),
            rest: Vec::new(),
            outgoing: UnsentBytes::default(),
            written: 0,
            failure: RefCell::default(),
            due: u64::MAX,
        }
    }
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.incoming.is_empty()
            && self.rest.is_empty()
            && self.outgoing.len() == 0
            && self.written == 0
            && self.failure.borrow().is_none()
            && self.due == u64::MAX
    }
}
