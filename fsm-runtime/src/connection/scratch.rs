use std::sync::Arc;

use crate::call::hand_off::PendingHandOff;
use crate::connection::PendingBoxes;
#[cfg(all(feature = "pool", unix))]
use crate::connection::moving::Park;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::environment::EnvironmentOf;
use crate::machine::limits::Limits;
#[cfg(all(feature = "pool", unix))]
use crate::moves::packed_connection::PackedConnection;
use crate::net::lookup::Lookups;
use crate::net::other_end::TestWorld;
use crate::net::poll::Registry;
use crate::net::send_buffer::{SendBuffer, UnsentOutput};
#[cfg(feature = "tls")]
use crate::net::tls::{TlsClient, TlsSettings};
use crate::scheduler::task::WorkerContext;
use crate::spec::{Features, Spec};
use crate::stats::LocalCounters;
use crate::{Machine, Peer};

/// The least size of a thread's buffer, and the most bytes of one read into a smaller one.
const BUFFER: usize = 64 * 1024;
/// The largest size of a thread's buffer. It stays in a processor's cache while a handler uses what was read.
const MAX_BUFFER: usize = 256 * 1024;

/// A function that makes the handler of a connection of the peer.
pub(crate) type MakeFor<H> = dyn Fn(Peer) -> H + Send + Sync;

/// The buffers and handles that all turns of one thread share. Between turns they hold nothing of a
/// connection.
pub(crate) struct ConnectionScratch<M: Machine, H> {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) output: SendBuffer,
    pub(crate) environment: EnvironmentOf<M>,
    pub(crate) limits: Limits,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) counters: LocalCounters,
    /// The registry of the port's poll; `None` without sockets.
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) context: WorkerContext,
    /// Makes the handlers of new connections; `None` without sockets.
    pub(crate) make: Option<Arc<MakeFor<H>>>,
    /// Makes the seeds of the machines that a session runs one after the other; `None` without sockets.
    pub(crate) seed: Option<fn() -> M::Seed>,
    pub(crate) boxes: Arc<PendingBoxes<M>>,
    /// The buffers for the other sockets of the connections.
    pub(crate) other: OtherScratch,
    /// The hand-off of the current connection, from the turn in which it leaves until that turn ends.
    pub(crate) leaving: Option<Leaving>,
    /// Keeps the connections that leave for another process; `None` without sockets.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) park: Option<Arc<dyn Park<M, H>>>,
    /// The current connection in packed form, from the turn in which it leaves until that turn ends.
    #[cfg(all(feature = "pool", unix))]
    pub(crate) departing: Option<PackedConnection>,
    /// The settings with which TLS begins in a `#[tls]` state; `None` without sockets and in a plain pool.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsSettings>,
}

/// The buffers and handles that the turns of one thread share for the other sockets of their connections. In a
/// machine without such sockets they take no memory.
#[derive(Default)]
pub(crate) struct OtherScratch {
    pub(crate) buffer: Box<[u8]>,
    pub(crate) output: SendBuffer,
    /// Looks up names; `None` without sockets.
    pub(crate) lookups: Option<&'static Lookups>,
    /// Encrypts what is connected to with TLS.
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsClient>,
    /// The test that takes the part of those who are connected to.
    pub(crate) test: Option<Arc<dyn TestWorld>>,
}

/// A connection's hand-off to another pool, with its unread input and unsent output.
pub(crate) struct Leaving {
    pub(crate) hand_off: PendingHandOff,
    pub(crate) input: Vec<u8>,
    pub(crate) output: UnsentOutput,
}

/// The arguments of [`ConnectionScratch::new`], which are the fields of the same names.
pub(crate) struct ScratchSettings<M: Machine, H> {
    pub(crate) environment: EnvironmentOf<M>,
    pub(crate) limits: Limits,
    pub(crate) pool_state: Arc<PoolState>,
    pub(crate) registry: Option<Arc<Registry>>,
    pub(crate) make: Option<Arc<MakeFor<H>>>,
    pub(crate) seed: Option<fn() -> M::Seed>,
    pub(crate) boxes: Arc<PendingBoxes<M>>,
    pub(crate) other: OtherScratch,
    pub(crate) context: WorkerContext,
    #[cfg(all(feature = "pool", unix))]
    pub(crate) park: Option<Arc<dyn Park<M, H>>>,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsSettings>,
}

impl<M: Machine, H> ConnectionScratch<M, H> {
    /// The state for connections without sockets, whose handlers are made before their first turn.
    pub(crate) fn bare(
        environment: EnvironmentOf<M>,
        limits: Limits,
        pool_state: Arc<PoolState>,
        context: WorkerContext,
    ) -> Self {
        Self::new(ScratchSettings {
            environment,
            limits,
            pool_state,
            registry: None,
            make: None,
            seed: None,
            boxes: Arc::default(),
            other: OtherScratch::default(),
            context,
            #[cfg(all(feature = "pool", unix))]
            park: None,
            #[cfg(feature = "tls")]
            tls: None,
        })
    }

    pub(crate) fn new(settings: ScratchSettings<M, H>) -> Self {
        let ScratchSettings {
            environment,
            limits,
            pool_state,
            registry,
            make,
            seed,
            boxes,
            mut other,
            mut context,
            #[cfg(all(feature = "pool", unix))]
            park,
            #[cfg(feature = "tls")]
            tls,
        } = settings;
        if M::SPEC.uses(Features::OTHER) {
            other.buffer = vec![0; BUFFER].into_boxed_slice();
        }
        context.output_mark = limits.output;
        let buffer = vec![0; buffer_size(M::SPEC)].into_boxed_slice();
        let output = SendBuffer::default();
        let counters = pool_state.counters.local();
        Self {
            buffer,
            output,
            environment,
            limits,
            pool_state,
            counters,
            registry,
            context,
            make,
            seed,
            boxes,
            other,
            leaving: None,
            #[cfg(all(feature = "pool", unix))]
            park,
            #[cfg(all(feature = "pool", unix))]
            departing: None,
            #[cfg(feature = "tls")]
            tls,
        }
    }
}

/// The size of a thread's buffer for this machine: that of the largest piece of a stream that a state takes, so that
/// one read brings as much as a handler takes.
fn buffer_size(spec: &Spec) -> usize {
    spec.largest_piece().clamp(BUFFER, MAX_BUFFER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Shape, State, Wait};

    fn size_for(shape: Shape, max: usize) -> usize {
        let waits = vec![Wait::Read { shape, text: "", max }].leak();
        let states = vec![State::new("Rest", &[]), State::new("Read", waits)].leak();
        buffer_size(&Spec::new("Test", states))
    }

    #[test]
    fn x17_a_thread_reads_as_much_at_once_as_its_machine_takes_of_a_stream() {
        for shape in [Shape::Some, Shape::Upto] {
            assert_eq!(size_for(shape, 1), BUFFER);
            assert_eq!(size_for(shape, 2 * BUFFER), 2 * BUFFER);
            assert_eq!(size_for(shape, usize::MAX), MAX_BUFFER);
        }
        for shape in [Shape::Exact, Shape::Until, Shape::Frame, Shape::Peek, Shape::Datagram] {
            assert_eq!(size_for(shape, usize::MAX), BUFFER);
        }
    }
}
