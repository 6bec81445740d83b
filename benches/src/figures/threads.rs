use std::time::Instant;

use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::measure::in_rounds;
use crate::peer::Peer;

const CONNECTIONS: usize = 32;

/// Throughput of one port with compute-bound handlers, with two threads relative to one.
pub(super) fn threads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "threads-two";
    let series = in_rounds(lab, name, &[Peer::Ours, Peer::TokioThreads], lab.runs(), |peer| {
        Ok(seconds(lab, peer, 1)? / seconds(lab, peer, 2)?)
    })?;
    let title =
        "throughput of one port with 2 threads relative to 1 thread, compute-bound handlers";
    Ok(vec![Figure::new(name, title, Unit::Ratio, [Target::AtLeast(1.8)], series)])
}

/// The time for all requests with `threads` server threads.
///
/// Nothing is pinned, because the clients need little time and the server needs both processors.
fn seconds(lab: &Lab, peer: Peer, threads: usize) -> Result<f64, Error> {
    let requests = lab.amount(20_000, 5_000);
    let server = lab.server("heavy", peer)?.threads(threads).start()?;
    let mut clients = Clients::connect(server.address, CONNECTIONS)?;
    clients.closed_loop(requests / 10, 1)?;
    let start = Instant::now();
    clients.closed_loop(requests, 1)?;
    let seconds = start.elapsed().as_secs_f64();
    server.end()?;
    Ok(seconds)
}
