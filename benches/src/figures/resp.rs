//! RESP2, the protocol of Redis.

use crate::figure::{Target, Unit};
use crate::load::resp::{self, Command};
use crate::measure::{Slope, callgrind, cpu as processor, rounds};
use crate::process::Launch;
use crate::servers::redis;
use crate::{Error, Figure, Lab, Peer};

/// Connections of a closed loop.
const CONNECTIONS: usize = 64;

/// Who is counted by callgrind, which a ring of one's own confuses.
const PLAIN: [Peer; 6] =
    [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio, Peer::TokioThreads, Peer::Redis];
const ALL: [Peer; 7] =
    [Peer::Ours, Peer::Mio, Peer::C, Peer::Tokio, Peer::TokioThreads, Peer::Compio, Peer::Redis];

/// Commands on their way on each connection.
const DEPTHS: [usize; 3] = [1, 16, 128];

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let figure = |depth| {
        let name = format!("resp-instructions-get-p{depth}");
        let exchange = resp::exchange(Command::Get, depth);
        // Pipelines, of which all connections have as many.
        let few = 10_240 / depth as u64;
        let slope = Slope { few, many: few * lab.amount(11, 3) };
        let series = rounds(lab, &name, &PLAIN, 1, |peer| {
            let launch = launch(lab, peer)?;
            let each = callgrind::instructions(lab, &launch, slope, |address, pipelines| {
                resp::fill(address)?;
                exchange.connect(address, CONNECTIONS)?.run(pipelines)
            })?;
            Ok(each / as_f64(depth))
        })?;
        let targets: &[Target] = match depth {
            1 => &[Target::Times(0.60, Peer::Tokio)],
            128 => &[Target::Times(0.90, Peer::Tokio)],
            _ => &[],
        };
        let what = format!("user instructions of a GET, {}", of_what(depth));
        Ok(Figure::new(&name, &what, Unit::Instructions, targets, series))
    };
    DEPTHS.into_iter().map(figure).collect()
}

pub(super) fn get_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    DEPTHS.into_iter().map(|depth| cpu(lab, Command::Get, depth, &[])).collect()
}

pub(super) fn set_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    Ok(vec![cpu(lab, Command::Set, 16, &[Target::Times(0.60, Peer::Redis)])?])
}

fn cpu(lab: &Lab, command: Command, depth: usize, targets: &[Target]) -> Result<Figure, Error> {
    let word = command.word();
    let name = format!("resp-cpu-{}-p{depth}", word.to_lowercase());
    let exchange = resp::exchange(command, depth);
    let commands = lab.amount(if depth == 1 { 256_000 } else { 2_048_000 }, 128_000);
    let pipelines = commands / depth as u64;
    let series = rounds(lab, &name, &ALL, lab.runs(), |peer| {
        let server = launch(lab, peer)?.on(lab.cpus.map(|cpus| cpus.server)).start()?;
        let each = lab.as_client(|| {
            resp::fill(server.address)?;
            let mut clients = exchange.connect(server.address, CONNECTIONS)?;
            clients.run(pipelines / 10)?;
            processor::each(server.pid, pipelines, || clients.run(pipelines))
        })?;
        Ok(each / as_f64(depth))
    })?;
    let what = format!("processor time of a {word}, {}", of_what(depth));
    Ok(Figure::new(&name, &what, Unit::Microseconds, targets, series))
}

fn of_what(depth: usize) -> String {
    format!("64 bytes, {CONNECTIONS} connections, {depth} at a time on each")
}

fn launch(lab: &Lab, peer: Peer) -> Result<Launch, Error> {
    match peer {
        Peer::Redis => redis::launch(lab),
        Peer::TokioThreads => Ok(lab.launch("resp", peer)?.threads(2)),
        _ => lab.launch("resp", peer),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a depth is small")]
fn as_f64(depth: usize) -> f64 {
    depth as f64
}
