use std::sync::Arc;

use crate::call::hand_off::{CarriedIo, DetachedConnection, HandOffTarget};
use crate::call::semaphore::{Permit, Semaphore};
use crate::clock::Start;
use crate::connection::{ConnectionTask, PendingBoxes};
use crate::driver::accept::Accept;
use crate::lifecycle::pool_state::PoolState;
use crate::machine::runner::Started;
use crate::net::readiness::Readiness;
use crate::net::socket::Socket;
use crate::net::transport::{ByteStream, PeerAddr};
use crate::scheduler::port::Port;
use crate::scheduler::task::{Task, caught};
use crate::{Drive, Ended, Machine, Peer};

/// Where connections are placed: the ports of a pool.
pub(crate) struct Placement<M: Machine, H> {
    pub(crate) name: String,
    pub(crate) shards: Shards<M, H>,
    pub(crate) pool_state: Arc<PoolState>,
    /// Each port keeps what it accepts.
    pub(crate) stays: bool,
    pub(crate) boxes: Arc<PendingBoxes<M>>,
}

/// The ports of a pool.
pub(crate) type Shards<M, H> = Box<[Arc<Port<ConnectionTask<M, H, Socket>>>]>;

/// A connection without a machine.
pub(crate) struct Incoming<S> {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    pub(crate) seed: S,
    pub(crate) permit: Permit,
    /// Readiness that no poll will tell.
    pub(crate) ready: Readiness,
    pub(crate) carried: CarriedIo,
}

impl<M: Drive<H>, H> Placement<M, H> {
    /// Makes a connection's machine and places it, on the least loaded port. `here` is
    /// the port whose thread this is, if it is one.
    ///
    /// The start of the machine is the user's code: a panic in it is the end of this connection alone.
    pub(crate) fn open(&self, incoming: Incoming<M::Seed>, here: Option<usize>, now: u64) {
        let Incoming { mut socket, peer, seed, permit, ready, carried } = incoming;
        // It is given back when the connection ends.
        permit.forget();
        self.pool_state.counters.accepted();
        let Some(runner) = caught(|| Started::new(seed, now)) else {
            tracing::error!(pool = self.name, %peer, "a machine panicked at its start");
            if carried.output.len() > 0 {
                socket.abort();
            }
            if caught(|| drop(carried)).is_none() {
                tracing::error!(pool = self.name, "shared output panicked while it was dropped");
            }
            self.pool_state.ended(Ended::Panicked);
            return;
        };
        let conn = ConnectionTask::incoming(peer, socket, runner, carried, &self.boxes);
        let at = self.place(here);
        let port = &self.shards[at];
        let placed = if here == Some(at) {
            port.open_here(conn, ready).map(drop)
        } else {
            port.open(conn, ready)
        };
        if let Err(mut conn) = placed {
            conn.cut_off();
            if caught(|| drop(conn)).is_none() {
                tracing::error!(pool = self.name, "a handler panicked while it was dropped");
            }
            self.pool_state.ended(Ended::Closed);
        }
    }

    fn place(&self, here: Option<usize>) -> usize {
        if let (Some(here), true) = (here, self.stays) {
            return here;
        }
        let loads = self.shards.iter().map(|port| port.load()).enumerate();
        loads.min_by_key(|(_, load)| *load).map_or(0, |(at, _)| at)
    }
}

impl<M: Drive<H>, H: Send + 'static> HandOffTarget<M::Seed> for Placement<M, H> {
    fn semaphore(&self) -> &Arc<Semaphore> {
        &self.pool_state.semaphore
    }

    fn accept(&self, seed: M::Seed, permit: Permit, detached: DetachedConnection) {
        let DetachedConnection { socket, carried } = detached;
        let Some(socket) = socket else {
            // The system did not let it leave its poll, which was logged.
            if caught(|| drop((seed, carried))).is_none() {
                tracing::error!(pool = self.name, "a seed panicked while it was dropped");
            }
            return;
        };
        // A peer that has left has no address any more; its connection ends by itself.
        let peer = socket.peer().unwrap_or(Peer::Gone);
        let ready = Readiness::READ | Readiness::WRITE;
        let incoming = Incoming { socket, peer, seed, permit, ready, carried };
        self.open(incoming, None, Start::of_process().now());
    }
}

/// A pool that takes the connections of its listeners.
pub(crate) struct Listening<M: Machine, H> {
    pub(crate) placement: Arc<Placement<M, H>>,
    /// What their machines start with.
    pub(crate) seed: fn() -> M::Seed,
}

impl<M: Drive<H>, H> Accept for Listening<M, H>
where
    Placement<M, H>: Send + Sync,
{
    fn accepted(&self, socket: Socket, peer: Peer, permit: Permit, shard: usize, now: u64) {
        let incoming = Incoming::accepted(socket, peer, (self.seed)(), permit);
        self.placement.open(incoming, Some(shard), now);
    }
}

impl<S> Incoming<S> {
    /// A connection that a listener has got.
    pub(crate) fn accepted(socket: Socket, peer: Peer, seed: S, permit: Permit) -> Self {
        let (ready, carried) = (Readiness::NONE, CarriedIo::default());
        Self { socket, peer, seed, permit, ready, carried }
    }
}
