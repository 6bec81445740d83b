use std::time::{Duration, Instant};

use crate::error::Error;
use crate::figure::{Figure, Measured, Series, Statistics, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::load::open_loop::{OpenLoop, Outcome};
use crate::measure::in_rounds;
use crate::peer::Peer;
use crate::workload::SHED_CAPACITY;

const WORKLOAD: &str = "shed";
const PEERS: [Peer; 2] = [Peer::Ours, Peer::Tokio];

/// Goodput and tail latency of a server at 1.5 times its capacity.
pub(super) fn overload(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut tails = Vec::new();
    let goodput = in_rounds(lab, "overload-goodput", &PEERS, lab.runs(), |peer| {
        let capacity = capacity(lab, peer)?;
        let below = open_loop(lab, peer, 0.7 * capacity)?;
        let beyond = open_loop(lab, peer, 1.5 * capacity)?;
        if beyond.refused == 0.0 {
            return Err(Error::failed("no overload: the server refused no request"));
        }
        tails.push((peer, tail(&beyond) / tail(&below)));
        Ok(beyond.good / capacity)
    })?;
    let tail = tail_series(&goodput, &tails);
    Ok(vec![
        Figure::new(
            "overload-goodput",
            "goodput at 1.5 times capacity, relative to capacity",
            Unit::Ratio,
            [Target::AtLeast(0.95)],
            goodput,
        ),
        Figure::new(
            "overload-tail",
            "p99.9 latency at 1.5 times capacity, relative to 0.7 times capacity",
            Unit::Ratio,
            [Target::AtMost(10.0)],
            tail,
        ),
    ])
}

/// The tail ratios of the peers whose goodput was measured.
fn tail_series(goodput: &Series, tails: &[(Peer, f64)]) -> Series {
    let of = |peer| tails.iter().filter(|(of, _)| *of == peer).map(|(_, tail)| *tail).collect();
    let measured = goodput
        .measured
        .iter()
        .map(|&Measured { peer, .. }| Measured { peer, value: Statistics::of(of(peer)) });
    Series { measured: measured.collect(), skipped: goodput.skipped.clone() }
}

/// Requests at a fixed rate.
fn open_loop(lab: &Lab, peer: Peer, rate: f64) -> Result<Outcome, Error> {
    let time = Duration::from_millis(lab.amount(4000, 1500));
    let server = lab.server(WORKLOAD, peer)?.pinned_to(lab.server_cpu()).start()?;
    let load = OpenLoop { connections: 8 * SHED_CAPACITY, rate, time };
    let outcome = lab.on_client_cpu(|| load.run(server.address))?;
    server.end()?;
    Ok(outcome)
}

/// The p99.9 latency, in seconds.
fn tail(outcome: &Outcome) -> f64 {
    Duration::from_nanos(outcome.latency.value_at_quantile(0.999)).as_secs_f64()
}

/// Requests per second in a closed loop that keeps the server busy without a refusal.
fn capacity(lab: &Lab, peer: Peer) -> Result<f64, Error> {
    let requests: u32 = if lab.quick { 5_000 } else { 20_000 };
    let server = lab.server(WORKLOAD, peer)?.pinned_to(lab.server_cpu()).start()?;
    let rate = lab.on_client_cpu(|| {
        let mut clients = Clients::connect(server.address, SHED_CAPACITY / 2)?;
        clients.closed_loop(u64::from(requests / 10), 1)?;
        let start = Instant::now();
        clients.closed_loop(requests.into(), 1)?;
        Ok::<_, Error>(f64::from(requests) / start.elapsed().as_secs_f64())
    })?;
    server.end()?;
    Ok(rate)
}
