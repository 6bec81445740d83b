use std::sync::Arc;

use crate::call::semaphore::{Permit, Semaphore};
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;

/// A pool that takes connections of another one, as those see it.
pub(crate) trait HandOffTarget<Seed>: Send + Sync {
    fn semaphore(&self) -> &Arc<Semaphore>;

    /// Takes a connection, for which there is room.
    fn arrive(&self, seed: Seed, permit: Permit, detached: DetachedConnection);
}

/// A connection without a machine, on its way from one pool to another.
pub(crate) struct DetachedConnection {
    /// It belongs to no poll. In a test there is none.
    pub(crate) socket: Option<Socket>,
    pub(crate) carried: CarriedIo,
}

/// The input and output that a connection carries along from pool to pool.
#[derive(Default)]
pub(crate) struct CarriedIo {
    /// Bytes that were read and not used.
    pub(crate) input: Vec<u8>,
    /// Output that the socket has not taken yet.
    pub(crate) output: UnsentOutput,
    /// The end of the peer's stream was read.
    pub(crate) ended: bool,
}

/// A connection that has room in another pool and leaves when its turn is over.
pub(crate) struct PendingHandOff(Box<dyn Leaves>);

trait Leaves: Send {
    fn leave(self: Box<Self>, detached: DetachedConnection);
}

struct ReadyHandOff<Seed> {
    to: Arc<dyn HandOffTarget<Seed>>,
    seed: Seed,
    permit: Permit,
}

impl<Seed: Send> Leaves for ReadyHandOff<Seed> {
    fn leave(self: Box<Self>, detached: DetachedConnection) {
        self.to.arrive(self.seed, self.permit, detached);
    }
}

impl PendingHandOff {
    pub(crate) fn new<Seed: Send + 'static>(
        to: Arc<dyn HandOffTarget<Seed>>,
        seed: Seed,
        permit: Permit,
    ) -> Self {
        Self(Box::new(ReadyHandOff { to, seed, permit }))
    }

    pub(crate) fn leave(self, detached: DetachedConnection) {
        self.0.leave(detached);
    }
}
