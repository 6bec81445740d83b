//! Connections that are joined to others: a TCP forwarder.

use std::net::SocketAddr;

use crate::error::Error;
use crate::external::haproxy;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::load::exchange::Exchange;
use crate::load::{download, upload};
use crate::measure::{Slope, callgrind, cpu_time, in_rounds, memory};
use crate::peer::Peer;
use crate::process::{ServerCommand, ServerProcess};
use crate::servers::TUNNEL_TARGET;

/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

const PEERS: [Peer; 3] = [Peer::Ours, Peer::Tokio, Peer::Haproxy];

/// A transfer through the tunnels.
struct Transfer {
    name: &'static str,
    label: &'static str,
    exchange: fn() -> Exchange,
    bytes: usize,
}

const TRANSFERS: [Transfer; 2] = [
    Transfer {
        name: "upload",
        label: "uploads of 300 kB through a tunnel",
        exchange: upload::exchange,
        bytes: upload::SIZE,
    },
    Transfer {
        name: "download",
        label: "downloads of 16 MB through a tunnel",
        exchange: download::exchange,
        bytes: download::SIZE,
    },
];

impl Transfer {
    #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^53")]
    fn mebibytes(&self) -> f64 {
        self.bytes as f64 / f64::from(1024 * 1024)
    }

    /// The number of transfers of about `mebibytes` together.
    fn times(&self, mebibytes: u64) -> u64 {
        (mebibytes * 1024 * 1024 / self.bytes as u64).max(10)
    }
}

pub(super) fn cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let figure = |transfer: &Transfer| {
        let name = format!("tunnel-cpu-{}", transfer.name);
        let times = transfer.times(lab.amount(4_000, 800));
        let series = in_rounds(lab, &name, &PEERS, lab.runs(), |peer| {
            let target = target(lab, transfer.name)?;
            let server = server(lab, peer, target.address)?.pinned_to(lab.server_cpu()).start()?;
            let exchange = (transfer.exchange)();
            let per_transfer = lab.on_client_cpu(|| {
                let mut clients = exchange.connect(server.address, CONNECTIONS)?;
                clients.run(times / 10)?;
                cpu_time::per_request(server.pid, times, || clients.run(times))
            })?;
            Ok(per_transfer / transfer.mebibytes())
        })?;
        let title = format!("CPU time per MiB, {}", transfer.label);
        let targets = [Target::Times(1.1, Peer::Haproxy)];
        Ok(Figure::new(&name, &title, Unit::Microseconds, targets, series))
    };
    TRANSFERS.iter().map(figure).collect()
}

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let figure = |transfer: &Transfer| {
        let name = format!("tunnel-instructions-{}", transfer.name);
        let few = transfer.times(30);
        let slope = Slope { few, many: few + transfer.times(lab.amount(300, 100)) };
        let series = in_rounds(lab, &name, &PEERS, 1, |peer| {
            let target = target(lab, transfer.name)?;
            let server = server(lab, peer, target.address)?;
            let load =
                |address, times| (transfer.exchange)().connect(address, CONNECTIONS)?.run(times);
            Ok(callgrind::of_server(lab, &server, slope, load)? / transfer.mebibytes())
        })?;
        let title = format!("user instructions per MiB, {}", transfer.label);
        let targets = [Target::Times(1.1, Peer::Haproxy)];
        Ok(Figure::new(&name, &title, Unit::Instructions, targets, series))
    };
    TRANSFERS.iter().map(figure).collect()
}

pub(super) fn idle_bytes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "tunnel-idle-bytes";
    let slope = Slope { few: 1_000, many: lab.amount(8_000, 4_000) };
    let series = in_rounds(lab, name, &PEERS, 1, |peer| {
        let target = target(lab, "echo")?;
        let server = server(lab, peer, target.address)?.start()?;
        let mut clients = Clients::new()?;
        slope.measure(|connections| {
            clients.grow(server.address, usize::try_from(connections).unwrap_or(0))?;
            // One echo through each tunnel makes the server allocate what it keeps while idle.
            clients.closed_loop(connections, 1)?;
            memory::anonymous(server.pid)
        })
    })?;
    let title = "memory per idle tunnel, after one echo";
    let targets = [Target::Times(0.25, Peer::Tokio)];
    Ok(vec![Figure::new(name, title, Unit::Bytes, targets, series)])
}

/// The server at the other end of the tunnels, on the processor of the clients.
fn target(lab: &Lab, workload: &str) -> Result<ServerProcess, Error> {
    lab.server(workload, Peer::Mio)?.pinned_to(lab.client_cpu()).start()
}

fn server(lab: &Lab, peer: Peer, target: SocketAddr) -> Result<ServerCommand, Error> {
    match peer {
        Peer::Haproxy => haproxy::forwarder(lab, target),
        _ => Ok(lab.server("tunnel", peer)?.with(TUNNEL_TARGET, &target.to_string())),
    }
}
