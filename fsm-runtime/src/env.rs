use std::sync::Arc;

use mio::Registry;

use crate::arrivals::Departure;
use crate::cold::Spares;
use crate::control::Control;
use crate::inbox::Inbox;
use crate::output::{Kept, Output};
use crate::task::Desk;
use crate::{Machine, Peer};

/// The bytes that a thread reads at once.
const BUFFER: usize = 64 * 1024;

/// Makes the handler of a connection of that peer.
pub(crate) type MakeFor<H> = dyn Fn(Peer) -> H + Send + Sync;

/// What the turns of one thread share: nothing of it belongs to a connection between turns.
pub(crate) struct Env<M: Machine, H> {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) output: Output,
    pub(crate) inbox: Inbox<M::Message>,
    pub(crate) bounds: Bounds,
    pub(crate) control: Arc<Control>,
    /// That of the poll which the sockets belong to.
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) desk: Desk,
    /// Makes the handlers of new connections.
    pub(crate) make: Option<Arc<MakeFor<H>>>,
    pub(crate) spares: Arc<Spares<M::Partial>>,
    /// What the connection whose turn it is takes along to another pool.
    pub(crate) leaving: Option<Leaving>,
}

pub(crate) struct Leaving {
    pub(crate) departure: Departure,
    pub(crate) input: Vec<u8>,
    pub(crate) output: Kept,
}

impl<M: Machine, H> Env<M, H> {
    pub(crate) fn new(
        inbox: Inbox<M::Message>,
        bounds: Bounds,
        control: Arc<Control>,
        registry: Option<Arc<Registry>>,
        make: Option<Arc<MakeFor<H>>>,
        spares: Arc<Spares<M::Partial>>,
        desk: Desk,
    ) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        let output = Output::default();
        Self { buffer, output, inbox, bounds, control, registry, desk, make, spares, leaving: None }
    }
}

/// The bounds of a turn and of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Handler calls of a turn.
    pub(crate) calls: usize,
    /// Bytes read and sent in a turn, from when on it goes no further.
    pub(crate) bytes: usize,
    /// Queued output from which on nothing that comes in is taken up.
    pub(crate) output: usize,
    /// Milliseconds in which the peer must take some of the output that waits for it.
    pub(crate) stall: u64,
    /// The same once the machine is done, and for the peer to end its stream after that.
    pub(crate) linger: u64,
}
