//! The place of connections that leave a pool for another process, and of those that come from one.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use crate::connection::ConnectionTask;
use crate::connection::moving::Park;
use crate::machine::deadlines::sealed::DeadlineSet;
use crate::machine::runner::Started;
use crate::moves::departure::{Parked, Refused, TakesIn};
use crate::moves::packed_connection::PackedConnection;
use crate::moves::stays::Stays;
use crate::net::pending_io::NewConnection;
use crate::net::socket::Socket;
use crate::net::transport::PeerAddr;
use crate::panics::caught;
use crate::server::layer::sealed::Stack;
use crate::server::placement::Placement;
use crate::{Drive, Ended, Machine, Peer};

/// A connection that has left its port, and keeps its permit.
struct ParkedConnection<M: Machine, H, L: Stack> {
    connection: ConnectionTask<M, H, Socket>,
    placement: Arc<Placement<M, H, L>>,
}

/// The data of a connection from another process, beside its socket.
struct Unpacked<M: Machine, H> {
    started: Started<M>,
    handler: H,
    now: u64,
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> Placement<M, H, L> {
    /// Makes the machine and the handler that the packed connection describes. Both are the user's code.
    fn unpack(&self, packed: &PackedConnection, peer: Peer) -> Result<Unpacked<M, H>, Stays> {
        if packed.machine != M::SPEC.name {
            return Err(Stays::State);
        }
        let now = self.time.now().millis;
        let started = caught(|| {
            let machine = M::unpack(&packed.state, &packed.fields)?;
            let timer = |index| machine.timer(index, &self.settings);
            let mut deadlines = M::Deadlines::started(now, timer);
            deadlines.set_left(now, &packed.timers, timer);
            Some(Started { machine, deadlines })
        });
        let started = started.flatten().ok_or(Stays::State)?;
        let handler = caught(|| {
            let mut handler = (self.make)(peer);
            M::unpack_handler(&mut handler, &packed.handler).map(|()| handler)
        });
        let handler = handler.flatten().ok_or(Stays::Handler)?;
        Ok(Unpacked { started, handler, now })
    }

    fn try_take_in(&self, packed: &PackedConnection, socket: &OwnedFd) -> Result<(), Stays> {
        let permit = self.state.permits.try_acquire().map_err(|_| Stays::Full)?;
        // The other process keeps a descriptor of the same socket until this one is known to be of use.
        let socket = socket.try_clone().map_err(|_| Stays::Socket)?;
        rustix::io::ioctl_fionbio(&socket, true).map_err(|_| Stays::Socket)?;
        let socket = Socket::from(socket);
        // A peer that has left has no address any more; its connection ends by itself.
        let peer = socket.peer().unwrap_or(Peer::Gone);
        let Unpacked { started, handler, now } = self.unpack(packed, peer)?;
        let Some(stream) = L::moved(socket) else { return Err(Stays::Tls) };
        let (new, boxes) = (NewConnection { peer, target: None }, &self.boxes);
        let connection =
            ConnectionTask::moved_in(new, stream, started, handler, packed, now, boxes);
        permit.forget();
        self.state.counters.accepted();
        self.resume(connection).map_err(|connection| {
            if caught(|| drop(connection)).is_none() {
                crate::log::error!(pool = self.pool, "a handler panicked while it was dropped");
            }
            self.state.ended(Ended::Closed);
            Stays::Pool
        })
    }
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> TakesIn for Placement<M, H, L> {
    fn take_in(&self, packed: PackedConnection, socket: OwnedFd) -> Result<(), Box<Refused>> {
        self.try_take_in(&packed, &socket).map_err(|why| Box::new(Refused { packed, socket, why }))
    }
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> Park<M, H> for Placement<M, H, L> {
    fn park(self: Arc<Self>, connection: ConnectionTask<M, H, Socket>) -> Box<dyn Parked> {
        Box::new(ParkedConnection { connection, placement: self })
    }
}

impl<M: Drive<H>, H: Send + 'static, L: Stack> Parked for ParkedConnection<M, H, L> {
    fn socket(&self) -> BorrowedFd<'_> {
        self.connection.socket().as_fd()
    }

    fn end(self: Box<Self>, why: Ended) {
        let Self { connection, placement } = *self;
        if caught(|| drop(connection)).is_none() {
            crate::log::error!(pool = placement.pool, "a handler panicked while it was dropped");
        }
        placement.state.ended(why);
    }

    fn go_on(self: Box<Self>) {
        let Self { connection, placement } = *self;
        let peer = connection.socket().peer().unwrap_or(Peer::Gone);
        let new = NewConnection { peer, target: None };
        let connection = connection.refused(new, &placement.boxes);
        let Some(connection) = connection.with_socket(L::moved) else {
            return placement.state.ended(Ended::Closed);
        };
        if let Err(connection) = placement.resume(connection) {
            placement.refuse(connection);
        }
    }
}

// Its machines take longer to build than the checks of interleavings, which are built by themselves.
#[cfg(test)]
#[cfg(not(any(loom, shuttle)))]
mod tests;
