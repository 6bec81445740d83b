use std::net::SocketAddr;

use crate::error::Error;
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::peer::Peer;
use crate::process::ServerCommand;

/// Connections of a closed loop.
pub(super) const CONNECTIONS: usize = 64;
pub(super) const ALL: [Peer; 8] = [
    Peer::Ours,
    Peer::Mio,
    Peer::MioFeatures,
    Peer::C,
    Peer::Tokio,
    Peer::TokioThreads,
    Peer::Compio,
    Peer::May,
];
/// The peers without `io_uring` and coroutines, whose rings and stacks confuse valgrind.
pub(super) const PLAIN_THREADS: [Peer; 6] =
    [Peer::Ours, Peer::Mio, Peer::MioFeatures, Peer::C, Peer::Tokio, Peer::TokioThreads];

pub(super) fn server(lab: &Lab, peer: Peer) -> Result<ServerCommand, Error> {
    let server = lab.server("echo", peer)?;
    Ok(if matches!(peer, Peer::TokioThreads | Peer::May) { server.threads(2) } else { server })
}

/// A load with `depth` requests in flight on each connection.
pub(super) fn closed_loop(depth: usize) -> impl FnMut(SocketAddr, u64) -> Result<(), Error> {
    move |address, requests| Clients::connect(address, CONNECTIONS)?.closed_loop(requests, depth)
}
