//! RESP2, the protocol of Redis.

use crate::error::Error;
use crate::external::redis;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::loadgen::{Commands, Loadgen};
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
    let loadgen = Loadgen::build(lab)?;
    DEPTHS.into_iter().map(|depth| get_instructions(lab, &loadgen, depth)).collect()
}

pub(super) fn get_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let loadgen = Loadgen::build(lab)?;
    DEPTHS.into_iter().map(|depth| cpu(lab, &loadgen, Command::Get, depth, &[])).collect()
}

pub(super) fn set_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let loadgen = Loadgen::build(lab)?;
    Ok(vec![cpu(lab, &loadgen, Command::Set, 16, &[Target::Times(0.60, Peer::Redis)])?])
}

fn get_instructions(lab: &Lab, loadgen: &Loadgen, depth: usize) -> Result<Figure, Error> {
    let name = format!("resp-instructions-get-p{depth}");
    let commands = Commands { command: Command::Get, connections: CONNECTIONS, depth };
    let few = 10_240;
    let slope = Slope { few, many: few * lab.amount(11, 3) };
    let series = in_rounds(lab, &name, &PLAIN_THREADS, 1, |peer| {
        let server = server(lab, peer)?;
        callgrind::of_server(lab, &server, slope, |address, count| {
            resp::fill(address)?;
            loadgen.run(address, commands, count)
        })
    })?;
    let targets: &[Target] = match depth {
        1 => &[Target::Times(0.60, Peer::Tokio)],
        128 => &[Target::Times(0.90, Peer::Tokio)],
        _ => &[],
    };
    let title = format!("user instructions per GET, {}", conditions(depth));
    Ok(Figure::new(&name, &title, Unit::Instructions, targets, series))
}

fn cpu(
    lab: &Lab,
    loadgen: &Loadgen,
    command: Command,
    depth: usize,
    targets: &[Target],
) -> Result<Figure, Error> {
    let command_name = command.name();
    let name = format!("resp-cpu-{}-p{depth}", command_name.to_lowercase());
    let commands = Commands { command, connections: CONNECTIONS, depth };
    let many = lab.amount(if depth == 1 { 256_000 } else { 2_048_000 }, 128_000);
    // Each run connects anew; a slope does not contain that.
    let slope = Slope { few: many / 10, many };
    let series = in_rounds(lab, &name, &ALL, lab.runs(), |peer| {
        let server = server(lab, peer)?.pinned_to(lab.server_cpu()).start()?;
        lab.on_client_cpu(|| {
            resp::fill(server.address)?;
            let run = |count| loadgen.run(server.address, commands, count);
            run(slope.few)?;
            slope.measure(|count| {
                let time = cpu_time::during(server.pid, || run(count))?;
                Ok(time.as_secs_f64() * 1e6)
            })
        })
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
