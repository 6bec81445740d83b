use std::net::SocketAddr;

use crate::figure::{Target, Unit};
use crate::load::resp::{self, Command};
use crate::measure::{Slope, callgrind, cpu, rounds};
use crate::process::Launch;
use crate::servers::redis;
use crate::{Error, Figure, Lab, Peer};

/// Connections of a closed loop.
const CONNECTIONS: usize = 64;

const PEERS: [Peer; 5] = [Peer::Ours, Peer::Mio, Peer::Tokio, Peer::TokioThreads, Peer::Redis];

/// Several commands on their way on each connection.
const DEPTHS: [usize; 3] = [1, 16, 128];

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let figure = |depth| {
        let name = format!("resp-instructions-get-p{depth}");
        let what = format!("user instructions of a GET of 64 bytes, {depth} at a time");
        // Whole pipelines on all connections.
        let round = (CONNECTIONS * depth) as u64;
        let few = 10_000_u64.next_multiple_of(round);
        let slope = Slope { few, many: few + lab.amount(10, 2) * few };
        let series = rounds(lab, &name, &PEERS, 1, |peer| {
            callgrind::instructions(lab, &launch(lab, peer)?, slope, |address, commands| {
                load(address, Command::Get, depth, commands)
            })
        })?;
        let targets: &[Target] = match depth {
            1 => &[Target::Times(0.60, Peer::Tokio)],
            128 => &[Target::Times(0.90, Peer::Tokio)],
            _ => &[],
        };
        Ok(Figure::new(&name, &what, Unit::Instructions, targets, series))
    };
    DEPTHS.into_iter().map(figure).collect()
}

pub(super) fn cpu_get(lab: &Lab) -> Result<Vec<Figure>, Error> {
    DEPTHS.into_iter().map(|depth| cpu(lab, Command::Get, depth, &[])).collect()
}

pub(super) fn cpu_set(lab: &Lab) -> Result<Vec<Figure>, Error> {
    Ok(vec![cpu(lab, Command::Set, 16, &[Target::Times(0.60, Peer::Redis)])?])
}

fn cpu(lab: &Lab, command: Command, depth: usize, targets: &[Target]) -> Result<Figure, Error> {
    let word = format!("{command:?}").to_lowercase();
    let name = format!("resp-cpu-{word}-p{depth}");
    let what = format!(
        "user and system time of a {} of 64 bytes, {CONNECTIONS} connections, {depth} at a time",
        word.to_uppercase()
    );
    let commands = lab.amount(if depth == 1 { 300_000 } else { 2_000_000 }, 100_000);
    let series = rounds(lab, &name, &PEERS, lab.runs(), |peer| {
        let server = launch(lab, peer)?.on(lab.cpus.map(|cpus| cpus.server)).start()?;
        lab.as_client(|| {
            load(server.address, command, depth, commands / 10)?;
            let work = || resp::run(server.address, CONNECTIONS, (command, depth), commands);
            let spent = cpu::spent(server.pid, work)?;
            Ok(spent.as_secs_f64() * 1e6 / commands as f64)
        })
    })?;
    Ok(Figure::new(&name, &what, Unit::Microseconds, targets, series))
}

fn launch(lab: &Lab, peer: Peer) -> Result<Launch, Error> {
    match peer {
        Peer::Redis => redis::launch(lab),
        Peer::TokioThreads => Ok(lab.launch("resp", peer)?.threads(2)),
        _ => lab.launch("resp", peer),
    }
}

/// So many commands, on a server that has a value for each key.
fn load(address: SocketAddr, command: Command, depth: usize, commands: u64) -> Result<(), Error> {
    resp::fill(address)?;
    resp::run(address, CONNECTIONS, (command, depth), commands)
}
