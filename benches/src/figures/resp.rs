//! RESP2, the protocol of Redis.

use crate::error::Error;
use crate::external::redis;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::resp::{self, Command};
use crate::measure::{Slope, callgrind, cpu_time, in_rounds};
use crate::peer::Peer;
use crate::process::ServerCommand;

/// Connections of a closed loop.
const CONNECTIONS: usize = 64;

const ALL: [Peer; 7] =
    [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio, Peer::TokioThreads, Peer::Compio, Peer::Redis];
/// The peers without `io_uring`, whose rings confuse valgrind.
const PLAIN_THREADS: [Peer; 6] =
    [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio, Peer::TokioThreads, Peer::Redis];

/// Commands in flight on each connection.
const DEPTHS: [usize; 3] = [1, 16, 128];

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    DEPTHS.into_iter().map(|depth| get_instructions(lab, depth)).collect()
}

pub(super) fn get_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    DEPTHS.into_iter().map(|depth| cpu(lab, Command::Get, depth, &[])).collect()
}

pub(super) fn set_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    Ok(vec![cpu(lab, Command::Set, 16, &[Target::Times(0.60, Peer::Redis)])?])
}

fn get_instructions(lab: &Lab, depth: usize) -> Result<Figure, Error> {
    let name = format!("resp-instructions-get-p{depth}");
    let exchange = resp::exchange(Command::Get, depth);
    // All connections send the same number of pipelines.
    let few = 10_240 / depth as u64;
    let slope = Slope { few, many: few * lab.amount(11, 3) };
    let series = in_rounds(lab, &name, &PLAIN_THREADS, 1, |peer| {
        let server = server(lab, peer)?;
        let per_pipeline = callgrind::of_server(lab, &server, slope, |address, pipelines| {
            resp::fill(address)?;
            exchange.connect(address, CONNECTIONS)?.run(pipelines)
        })?;
        Ok(per_pipeline / as_f64(depth))
    })?;
    let targets: &[Target] = match depth {
        1 => &[Target::Times(0.60, Peer::Tokio)],
        128 => &[Target::Times(0.90, Peer::Tokio)],
        _ => &[],
    };
    let title = format!("user instructions per GET, {}", conditions(depth));
    Ok(Figure::new(&name, &title, Unit::Instructions, targets, series))
}

fn cpu(lab: &Lab, command: Command, depth: usize, targets: &[Target]) -> Result<Figure, Error> {
    let command_name = command.name();
    let name = format!("resp-cpu-{}-p{depth}", command_name.to_lowercase());
    let exchange = resp::exchange(command, depth);
    let commands = lab.amount(if depth == 1 { 256_000 } else { 2_048_000 }, 128_000);
    let pipelines = commands / depth as u64;
    let series = in_rounds(lab, &name, &ALL, lab.runs(), |peer| {
        let server = server(lab, peer)?.pinned_to(lab.server_cpu()).start()?;
        let per_pipeline = lab.on_client_cpu(|| {
            resp::fill(server.address)?;
            let mut clients = exchange.connect(server.address, CONNECTIONS)?;
            clients.run(pipelines / 10)?;
            cpu_time::per_request(server.pid, pipelines, || clients.run(pipelines))
        })?;
        Ok(per_pipeline / as_f64(depth))
    })?;
    let title = format!("CPU time per {command_name}, {}", conditions(depth));
    Ok(Figure::new(&name, &title, Unit::Microseconds, targets, series))
}

fn conditions(depth: usize) -> String {
    format!("64-byte values, {CONNECTIONS} connections, {depth} in flight on each")
}

fn server(lab: &Lab, peer: Peer) -> Result<ServerCommand, Error> {
    match peer {
        Peer::Redis => redis::server(lab),
        Peer::TokioThreads => Ok(lab.server("resp", peer)?.threads(2)),
        _ => lab.server("resp", peer),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a depth is small")]
fn as_f64(depth: usize) -> f64 {
    depth as f64
}
