use std::sync::Arc;

use crate::actor::started;
use crate::arrivals::{Arrivals, Parcel};
use crate::clock::Start;
use crate::cold::Spares;
use crate::conn::Conn;
use crate::control::Control;
use crate::credits::{Credit, Credits};
use crate::link::Ready;
use crate::output::Kept;
use crate::port::Port;
use crate::socket::Socket;
use crate::task::{Task, caught};
use crate::transport::Transport;
use crate::{Drive, Ended, Machine, Peer};

/// Where connections are placed: the ports of a pool.
pub(crate) struct Floor<M: Machine, H> {
    pub(crate) name: String,
    pub(crate) places: Places<M, H>,
    pub(crate) control: Arc<Control>,
    /// Each port keeps what it accepts.
    pub(crate) stays: bool,
    pub(crate) spares: Arc<Spares<M::Partial>>,
}

/// The ports of a pool.
pub(crate) type Places<M, H> = Box<[Arc<Port<Conn<M, H, Socket>>>]>;

/// A connection without a machine.
pub(crate) struct Newcomer<S> {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    pub(crate) seed: S,
    pub(crate) credit: Credit,
    /// Readiness that no poll will tell.
    pub(crate) ready: Ready,
    pub(crate) input: Vec<u8>,
    pub(crate) output: Kept,
    pub(crate) ended: bool,
}

impl<M: Drive<H>, H> Floor<M, H> {
    /// Makes a connection's machine and places it, on the least loaded port. `here` is
    /// the port whose thread this is, if it is one.
    ///
    /// The start of the machine is the user's code: a panic in it is the end of this connection alone.
    pub(crate) fn open(&self, newcomer: Newcomer<M::Seed>, here: Option<usize>, now: u64) {
        let Newcomer { socket, peer, seed, credit, ready, input, output, ended } = newcomer;
        // It is given back when the connection ends.
        credit.keep();
        self.control.counters.accepted();
        let Some(actor) = caught(|| started(seed, now)) else {
            tracing::error!(pool = self.name, %peer, "a machine panicked at its start");
            if output.len() > 0 {
                socket.abort();
            }
            if caught(|| drop(output)).is_none() {
                tracing::error!(pool = self.name, "shared output panicked while it was dropped");
            }
            self.control.ended(Ended::Panicked);
            return;
        };
        let conn = Conn::of(peer, socket, actor, (input, output, ended), &self.spares);
        let at = self.place(here);
        let port = &self.places[at];
        let placed = if here == Some(at) {
            port.open_here(conn, ready).map(drop)
        } else {
            port.open(conn, ready)
        };
        if let Err(conn) = placed {
            conn.cut_off();
            if caught(|| drop(conn)).is_none() {
                tracing::error!(pool = self.name, "a handler panicked while it was dropped");
            }
            self.control.ended(Ended::Closed);
        }
    }

    fn place(&self, here: Option<usize>) -> usize {
        if let (Some(here), true) = (here, self.stays) {
            return here;
        }
        let loads = self.places.iter().map(|port| port.load()).enumerate();
        loads.min_by_key(|(_, load)| *load).map_or(0, |(at, _)| at)
    }
}

impl<M: Drive<H>, H: Send + 'static> Arrivals<M> for Floor<M, H> {
    fn credits(&self) -> &Arc<Credits> {
        &self.control.credits
    }

    fn arrive(&self, seed: M::Seed, credit: Credit, parcel: Parcel) {
        let Parcel { socket, input, output, ended } = parcel;
        let Some(socket) = socket else {
            // The system did not let it leave its poll, which was logged.
            if caught(|| drop((seed, output))).is_none() {
                tracing::error!(pool = self.name, "a seed panicked while it was dropped");
            }
            return;
        };
        // A peer that has left has no address any more; its connection ends by itself.
        let peer = socket.peer().unwrap_or(Peer::Gone);
        let ready = Ready::READ | Ready::WRITE;
        let newcomer = Newcomer { socket, peer, seed, credit, ready, input, output, ended };
        self.open(newcomer, None, Start::of_process().now());
    }
}

impl<S> Newcomer<S> {
    /// A connection that a listener has got.
    pub(crate) fn accepted(socket: Socket, peer: Peer, seed: S, credit: Credit) -> Self {
        let (ready, input, output) = (Ready::NONE, Vec::new(), Kept::default());
        Self { socket, peer, seed, credit, ready, input, output, ended: false }
    }
}
