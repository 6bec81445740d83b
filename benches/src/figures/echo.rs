//! 64 bytes, and back.

use std::net::SocketAddr;

use crate::load::echo::Clients;
use crate::process::Launch;
use crate::{Error, Lab, Peer};

mod counts;
mod many;
mod times;

pub(super) use counts::{allocations, epoll_control, instructions, system_calls};
pub(super) use many::{crowd, idle};
pub(super) use times::{churn, cpu};

const WORK: &str = "echo";
/// Connections of a closed loop.
const CONNECTIONS: usize = 64;
/// Who is counted by tools that simulate a processor, which stacks and rings of one's own confuse.
const PLAIN: [Peer; 6] =
    [Peer::Ours, Peer::Mio, Peer::MioFeatures, Peer::C, Peer::Tokio, Peer::TokioThreads];
const ALL: [Peer; 8] = [
    Peer::Ours,
    Peer::Mio,
    Peer::MioFeatures,
    Peer::C,
    Peer::Tokio,
    Peer::TokioThreads,
    Peer::Compio,
    Peer::May,
];

fn launch(lab: &Lab, peer: Peer) -> Result<Launch, Error> {
    let launch = lab.launch(WORK, peer)?;
    Ok(if matches!(peer, Peer::TokioThreads | Peer::May) { launch.threads(2) } else { launch })
}

/// A load of so many requests, `depth` at a time on each connection.
fn closed_loop(depth: usize) -> impl FnMut(SocketAddr, u64) -> Result<(), Error> {
    move |address, requests| Clients::connect(address, CONNECTIONS)?.closed_loop(requests, depth)
}
