use std::any::Any;
use std::sync::Arc;

use crate::call::hand_off::{CarriedIo, DetachedConnection, HandOffTarget};
use crate::call::semaphore::{Permit, Semaphore};
use crate::clock::TimeSource;
use crate::connection::scratch::MakeFor;
use crate::connection::{ConnectionTask, PendingBoxes};
use crate::driver::acceptor::Accept;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::runner::Started;
use crate::net::datagram::DatagramPeer;
use crate::net::listener::{Accepted, SocketOrigin};
use crate::net::pending_io::NewConnection;
use crate::net::readiness::Readiness;
use crate::net::socket::Socket;
use crate::net::transport::{ByteStream, PeerAddr, Source};
use crate::panics::caught;
use crate::scheduler::port::Port;
use crate::scheduler::task::Task;
use crate::server::layer::sealed::Stack;
use crate::stats::LocalCounters;
use crate::{Drive, Ended, Machine, Peer};

/// Makes connections of incoming sockets, and places each on a port of the pool (X10).
///
/// Sockets come from the pool's listeners, through [`Listening`], and from other pools that hand
/// them over.
pub(crate) struct Placement<M: Machine, H, L: Stack> {
    /// The name of the pool.
    pub(crate) pool: String,
    pub(crate) ports: Box<[Arc<ConnectionPort<M, H, L>>]>,
    pub(crate) state: Arc<PoolState>,
    pub(crate) time: Arc<dyn TimeSource + Send + Sync>,
    pub(crate) boxes: Arc<PendingBoxes<M>>,
    pub(crate) settings: Arc<M::Settings>,
    pub(crate) layer: L::Settings,
    /// Makes the handlers of connections.
    pub(crate) make: Arc<MakeFor<H>>,
}

/// A port of connections with real sockets.
pub(crate) type ConnectionPort<M, H, L> = Port<ConnectionTask<M, H, <L as Stack>::Stream>>;

/// Places the connections that one port accepts or opens.
pub(crate) struct Listening<M: Machine, H, L: Stack> {
    pub(crate) placement: Arc<Placement<M, H, L>>,
    /// Makes the seed of the machine of a connection.
    pub(crate) seed: fn() -> M::Seed,
    /// Only the thread that polls the port accepts, so these have one writer at a time.
    pub(crate) counters: LocalCounters,
}

/// A connection that is counted and has a permit, but no machine yet.
struct Incoming<Seed> {
    socket: Socket,
    /// The layer between the connection and its socket, from another pool.
    layer: Option<Box<dyn Any + Send>>,
    new: NewConnection,
    origin: SocketOrigin,
    seed: Seed,
    /// Readiness that no poll will report.
    ready: Readiness,
    carried: CarriedIo,
    /// It stays on the port that has accepted it. Otherwise the least loaded port gets it.
    stays: bool,
}

impl<M: Drive<H>, H, L: Stack> Accept for Listening<M, H, L>
where
    Placement<M, H, L>: Send + Sync,
{
    fn accepted(&mut self, accepted: Accepted, permit: Permit, shard: usize, now: u64) {
        let Accepted { socket, peer, stays, origin } = accepted;
        // `PoolState::released` releases the permit when the connection has ended.
        permit.forget();
        self.counters.accepted();
        let incoming = Incoming {
            socket,
            layer: None,
            new: NewConnection { peer, target: origin.target() },
            origin,
            seed: (self.seed)(),
            ready: Readiness::NONE,
            carried: CarriedIo::default(),
            stays,
        };
        self.placement.open(incoming, Some(shard), now);
    }

    fn received(&mut self, peer: DatagramPeer, permit: Permit, shard: usize, now: u64) {
        // As in `accepted`.
        permit.forget();
        self.counters.accepted();
        let placement = &self.placement;
        let address = peer.address();
        let started = caught(|| Started::new((self.seed)(), now, placement.settings.as_ref()));
        let (Some(machine), Some(stream)) = (started, L::open_session(peer)) else {
            crate::log::error!(pool = placement.pool, peer = %address, "a machine panicked at its start");
            return placement.state.ended(Ended::Panicked);
        };
        let new = NewConnection { peer: address, target: None };
        let (carried, boxes) = (CarriedIo::default(), &placement.boxes);
        let session = ConnectionTask::incoming(new, stream, machine, carried, boxes);
        if let Err(session) = placement.ports[shard].open_here(session, Readiness::READ) {
            placement.refuse(session);
        }
    }
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> HandOffTarget<M::Seed> for Placement<M, H, L> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.state.permits
    }

    fn accept(&self, seed: M::Seed, permit: Permit, detached: DetachedConnection) {
        let DetachedConnection { socket, layer, carried } = detached;
        let Some(socket) = socket else {
            // The system did not let the socket leave its poll, which was logged.
            if caught(|| drop((seed, carried, layer))).is_none() {
                crate::log::error!(pool = self.pool, "a seed panicked while it was dropped");
            }
            return;
        };
        // `PoolState::released` releases the permit when the connection has ended.
        permit.forget();
        self.state.counters.accepted();
        // A peer that has left has no address any more; its connection ends by itself.
        let new = NewConnection { peer: socket.peer().unwrap_or(Peer::Gone), target: None };
        let ready = Readiness::READ | Readiness::WRITE;
        let incoming = Incoming {
            socket,
            layer,
            new,
            origin: SocketOrigin::Accepted { plain: false },
            seed,
            ready,
            carried,
            stays: false,
        };
        self.open(incoming, None, self.time.now().millis);
    }
}

impl<M: Drive<H>, H, L: Stack> Placement<M, H, L> {
    /// Makes the machine of a connection and places the connection on a port. `here` is the number
    /// of the port whose thread calls this, if it is a thread of this pool.
    ///
    /// The start of the machine is the user's code: a panic in it ends this connection alone.
    fn open(&self, incoming: Incoming<M::Seed>, here: Option<usize>, now: u64) {
        let Incoming { socket, layer, new, origin, seed, ready, mut carried, stays } = incoming;
        let Some(machine) = caught(|| Started::new(seed, now, self.settings.as_ref())) else {
            crate::log::error!(pool = self.pool, peer = %new.peer, "a machine panicked at its start");
            self.discard(socket, carried);
            self.state.opened_in_vain(new.target);
            return;
        };
        // A layer is the user's code, too.
        let stream = caught(|| match layer {
            Some(layer) => L::resume(socket, layer),
            None => L::open(socket, origin, &mut carried, &self.layer),
        });
        let stream = match stream {
            Some(Ok(stream)) => stream,
            failed => {
                let why = failed.as_ref().map_or(Ended::Panicked, |_| L::Stream::FAILURE);
                let error = failed.and_then(Result::err);
                let error = error.as_ref().map(tracing::field::display);
                crate::log::warn!(pool = self.pool, peer = %new.peer, error, "a connection is lost: {why}");
                self.state.ended(why);
                self.state.opened_in_vain(new.target);
                return;
            }
        };
        let mut connection = ConnectionTask::incoming(new, stream, machine, carried, &self.boxes);
        // What comes from another pool has no port here, and its peer has been heard there.
        if here.is_some() && new.target.is_none() {
            connection.expect_first_bytes();
        }
        let number = here.filter(|_| stays).unwrap_or_else(|| self.least_loaded());
        let port = &self.ports[number];
        let placed = if here == Some(number) {
            port.open_here(connection, ready).map(drop)
        } else {
            port.open(connection, ready)
        };
        if let Err(connection) = placed {
            self.refuse(connection);
            self.state.opened_in_vain(new.target);
        }
    }

    /// Places a connection that has a machine, a handler and a permit already. Returns it if the pool is closed.
    #[cfg(unix)]
    pub(super) fn resume(
        &self,
        connection: ConnectionTask<M, H, L::Stream>,
    ) -> Result<(), ConnectionTask<M, H, L::Stream>> {
        self.ports[self.least_loaded()].open(connection, Readiness::READ | Readiness::WRITE)
    }

    fn least_loaded(&self) -> usize {
        let loads = self.ports.iter().map(|port| port.load()).enumerate();
        loads.min_by_key(|(_, load)| *load).map_or(0, |(number, _)| number)
    }

    /// Ends a connection whose machine panicked at its start. The peer sees a reset if it has not
    /// got all output of the pool that handed it over.
    fn discard(&self, mut socket: Socket, carried: CarriedIo) {
        if carried.output.len() > 0 {
            socket.abort();
        }
        if caught(|| drop(carried)).is_none() {
            crate::log::error!(pool = self.pool, "shared output panicked while it was dropped");
        }
        self.state.ended(Ended::Panicked);
    }

    /// Ends a connection that came when its port was closed already.
    pub(super) fn refuse(&self, mut connection: ConnectionTask<M, H, L::Stream>) {
        connection.abort();
        if caught(|| drop(connection)).is_none() {
            crate::log::error!(pool = self.pool, "a handler panicked while it was dropped");
        }
        self.state.ended(Ended::Closed);
    }
}
