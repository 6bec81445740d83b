use std::sync::Arc;

use crate::Machine;
use crate::credits::{Credit, Credits};
use crate::output::Kept;
use crate::socket::Socket;

/// A pool that takes connections of another one, as those see it.
pub(crate) trait Arrivals<M: Machine>: Send + Sync {
    fn credits(&self) -> &Arc<Credits>;

    /// Takes a connection, for which there is room.
    fn arrive(&self, seed: M::Seed, credit: Credit, parcel: Parcel);
}

/// A connection without a machine, on its way from one pool to another.
pub(crate) struct Parcel {
    /// It belongs to no poll. In a test there is none.
    pub(crate) socket: Option<Socket>,
    /// Bytes that were read and not used.
    pub(crate) input: Vec<u8>,
    /// Output that the socket has not taken yet.
    pub(crate) output: Kept,
    /// The end of the peer's stream was read.
    pub(crate) ended: bool,
}

/// A connection that has room in another pool and leaves when its turn is over.
pub(crate) struct Departure(Box<dyn Leaves>);

trait Leaves: Send {
    fn leave(self: Box<Self>, parcel: Parcel);
}

struct Ready<M: Machine> {
    to: Arc<dyn Arrivals<M>>,
    seed: M::Seed,
    credit: Credit,
}

impl<M: Machine> Leaves for Ready<M> {
    fn leave(self: Box<Self>, parcel: Parcel) {
        self.to.arrive(self.seed, self.credit, parcel);
    }
}

impl Departure {
    pub(crate) fn new<M: Machine>(to: Arc<dyn Arrivals<M>>, seed: M::Seed, credit: Credit) -> Self {
        Self(Box::new(Ready { to, seed, credit }))
    }

    pub(crate) fn leave(self, parcel: Parcel) {
        self.0.leave(parcel);
    }
}
