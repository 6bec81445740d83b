use std::sync::Arc;

use mio::Registry;

use crate::call::hand_off::PendingHandOff;
use crate::call::mailboxes::Mailboxes;
use crate::connection::PendingBoxes;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::limits::Limits;
use crate::net::send_buffer::{SendBuffer, UnsentOutput};
use crate::scheduler::task::WorkerContext;
use crate::stats::LocalCounters;
use crate::{Machine, Peer};

/// The bytes that a thread reads at once.
const BUFFER: usize = 64 * 1024;

/// Makes the handler of a connection of that peer.
pub(crate) type MakeFor<H> = dyn Fn(Peer) -> H + Send + Sync;

/// What the turns of one thread share: nothing of it belongs to a connection between turns.
pub(crate) struct ConnectionScratch<M: Machine, H> {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) output: SendBuffer,
    pub(crate) mailboxes: Mailboxes<M::Message>,
    pub(crate) limits: Limits,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) counters: LocalCounters,
    /// That of the poll which the sockets belong to.
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) context: WorkerContext,
    /// Makes the handlers of new connections.
    pub(crate) make: Option<Arc<MakeFor<H>>>,
    pub(crate) boxes: Arc<PendingBoxes<M>>,
    /// What the connection whose turn it is takes along to another pool.
    pub(crate) leaving: Option<Leaving>,
}

pub(crate) struct Leaving {
    pub(crate) hand_off: PendingHandOff,
    pub(crate) input: Vec<u8>,
    pub(crate) output: UnsentOutput,
}

impl<M: Machine, H> ConnectionScratch<M, H> {
    pub(crate) fn new(
        mailboxes: Mailboxes<M::Message>,
        limits: Limits,
        pool_state: Arc<PoolState>,
        registry: Option<Arc<Registry>>,
        make: Option<Arc<MakeFor<H>>>,
        boxes: Arc<PendingBoxes<M>>,
        context: WorkerContext,
    ) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        let output = SendBuffer::default();
        let counters = pool_state.counters.local();
        Self {
            buffer,
            output,
            mailboxes,
            limits,
            pool_state,
            counters,
            registry,
            context,
            make,
            boxes,
            leaving: None,
        }
    }
}
