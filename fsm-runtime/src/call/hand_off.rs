use std::any::Any;
use std::sync::Arc;

use crate::call::semaphore::{Permit, Semaphore};
use crate::net::send_buffer::UnsentOutput;
use crate::net::socket::Socket;

/// A pool that takes connections of other pools whose machines start with `Seed`.
pub(crate) trait HandOffTarget<Seed>: Send + Sync {
    /// The permits of the pool, one for each connection.
    fn semaphore(&self) -> &Arc<Semaphore>;

    /// Takes a connection that has a permit.
    fn accept(&self, seed: Seed, permit: Permit, detached: DetachedConnection);
}

/// A connection that has left its machine and its poll, and moves to another pool.
pub(crate) struct DetachedConnection {
    /// `None` under test, and when the socket could not be deregistered from its poll.
    pub(crate) socket: Option<Socket>,
    /// The layer between the connection and its socket, which goes on in the other pool.
    pub(crate) layer: Option<Box<dyn Any + Send>>,
    pub(crate) carried: CarriedIo,
}

/// The pending input and output of a connection that moves to another pool.
#[derive(Debug, Default)]
pub struct CarriedIo {
    /// Input that was read and not used.
    pub(crate) input: Vec<u8>,
    /// Output that the socket has not taken.
    pub(crate) output: UnsentOutput,
    /// The end of the peer's stream was read.
    pub(crate) ended: bool,
    /// The stream to the peer was shut down.
    pub(crate) shut: bool,
}

/// A connection that has a permit of another pool, and moves there when its turn ends.
pub(crate) struct PendingHandOff(Box<dyn Complete>);

/// A [`ReadyHandOff`] without the type of its seed.
trait Complete: Send {
    fn complete(self: Box<Self>, detached: DetachedConnection);
}

struct ReadyHandOff<Seed> {
    target: Arc<dyn HandOffTarget<Seed>>,
    seed: Seed,
    permit: Permit,
}

impl<Seed: Send> Complete for ReadyHandOff<Seed> {
    fn complete(self: Box<Self>, detached: DetachedConnection) {
        self.target.accept(self.seed, self.permit, detached);
    }
}

impl PendingHandOff {
    pub(crate) fn new<Seed: Send + 'static>(
        target: Arc<dyn HandOffTarget<Seed>>,
        seed: Seed,
        permit: Permit,
    ) -> Self {
        Self(Box::new(ReadyHandOff { target, seed, permit }))
    }

    /// Gives the connection to the other pool.
    pub(crate) fn complete(self, detached: DetachedConnection) {
        self.0.complete(detached);
    }
}
