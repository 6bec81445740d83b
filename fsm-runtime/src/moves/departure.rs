use std::fmt;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use super::packed_connection::PackedConnection;
use super::stays::Stays;
use crate::Ended;

/// A connection that has come to rest, has left its poll, and is on its way to another process.
///
/// It is open here, and counts as such, until [`arrived`](Departure::arrived) says that the other process has it.
/// If it is dropped before, for whatever reason, it goes on here as if nothing had been, and is not asked to move
/// again.
pub(crate) struct Departure {
    pub(crate) packed: PackedConnection,
    parked: Option<Box<dyn Parked>>,
}

/// A connection without a place on a port, which keeps its permit.
pub(crate) trait Parked: Send {
    fn socket(&self) -> BorrowedFd<'_>;

    /// Closes the descriptor of the connection, without an effect on its socket if the other process has it, and counts
    /// the end.
    fn end(self: Box<Self>, why: Ended);

    /// Gives the connection a place on a port again.
    fn go_on(self: Box<Self>);
}

/// The function that takes the connections that move. It is called on the threads of the pools, so it does not
/// wait: it puts the connection into a queue. A panic of it leaves the connection here.
pub(crate) type MoveSink = Arc<dyn Fn(Departure) + Send + Sync>;

/// A pool that takes connections of another process.
pub(crate) trait TakesIn: Send + Sync {
    fn take_in(&self, packed: PackedConnection, socket: OwnedFd) -> Result<(), Box<Refused>>;
}

/// A connection that a pool has not taken in.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) packed: PackedConnection,
    pub(crate) socket: OwnedFd,
    pub(crate) why: Stays,
}

impl Departure {
    pub(crate) fn new(packed: PackedConnection, original: Box<dyn Parked>) -> Self {
        Self { packed, parked: Some(original) }
    }

    /// The descriptor to send to the other process.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.parked.as_ref().map(|parked| parked.socket())
    }

    /// Ends the connection here, because the other process has it.
    pub(crate) fn arrived(self) {
        self.end(Ended::Moved);
    }

    /// Ends the connection, which must not go on anywhere.
    pub(crate) fn close(self) {
        self.end(Ended::Closed);
    }

    fn end(mut self, why: Ended) {
        if let Some(parked) = self.parked.take() {
            parked.end(why);
        }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        if let Some(parked) = self.parked.take() {
            parked.go_on();
        }
    }
}

impl fmt::Debug for Departure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Departure").field("packed", &self.packed).finish_non_exhaustive()
    }
}
