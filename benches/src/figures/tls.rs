//! Connections that are encrypted.

mod beside;

use std::net::SocketAddr;

pub(super) use self::beside::beside;

use crate::certificate::{Certificate, DIRECTORY};
use crate::error::Error;
use crate::external::nginx::Nginx;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::exchange::Exchange;
use crate::load::tls::{self, Clients};
use crate::measure::{Slope, callgrind, cpu_time, in_rounds, memory};
use crate::peer::Peer;
use crate::process::ServerCommand;

/// Connections of a closed loop.
const CONNECTIONS: usize = 64;

/// The document that nginx sends, which echoes nothing.
const FILE: &str = "/document";

const PEERS: [Peer; 3] = [Peer::Ours, Peer::Tokio, Peer::Nginx];

/// A server with the exchange that its clients make.
struct Setup {
    server: ServerCommand,
    exchange: Exchange,
    certificate: Certificate,
    /// Keeps nginx's files until the measurement ends.
    _nginx: Option<Nginx>,
}

impl Setup {
    fn new(lab: &Lab, peer: Peer) -> Result<Self, Error> {
        let certificate = Certificate::of(lab)?;
        if peer == Peer::Nginx {
            let nginx = Nginx::encrypted(&certificate)?;
            nginx.create_file(FILE, &vec![b'x'; tls::SIZE])?;
            let (server, exchange) = (nginx.server(), tls::http(FILE));
            return Ok(Self { server, exchange, certificate, _nginx: Some(nginx) });
        }
        let directory = certificate.directory.display().to_string();
        let server = lab.server("tls-echo", peer)?.with(DIRECTORY, &directory);
        Ok(Self { server, exchange: tls::echo(), certificate, _nginx: None })
    }

    fn clients(&self) -> Result<Clients<'_>, Error> {
        Clients::new(&self.certificate, &self.exchange)
    }

    /// Opens so many connections one after the other.
    fn churn(&self, address: SocketAddr, connections: u64) -> Result<(), Error> {
        self.clients()?.churn(address, connections)
    }
}

pub(super) fn idle_bytes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "tls-idle-bytes";
    let slope = Slope { few: 500, many: lab.amount(4_500, 2_500) };
    let series = in_rounds(lab, name, &PEERS, 1, |peer| {
        let setup = Setup::new(lab, peer)?;
        let server = setup.server.start()?;
        let mut clients = setup.clients()?;
        slope.measure(|connections| {
            clients.grow(server.address, usize::try_from(connections).unwrap_or(0))?;
            memory::anonymous(server.pid)
        })
    })?;
    let title = "memory per idle TLS connection, after one echo of 1 KiB";
    Ok(vec![Figure::new(name, title, Unit::Bytes, [Target::AtMost(3_300.0)], series)])
}

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "tls-instructions";
    let slope = Slope { few: 1_280, many: lab.amount(32_000, 12_800) };
    let series = in_rounds(lab, name, &PEERS[..2], 1, |peer| {
        let setup = Setup::new(lab, peer)?;
        callgrind::of_server(lab, &setup.server, slope, |address, echoes| {
            let mut clients = setup.clients()?;
            clients.grow(address, CONNECTIONS)?;
            clients.run(echoes)
        })
    })?;
    let title = "user instructions per echo of 1 KiB over an open TLS connection";
    let targets = [Target::Times(1.0, Peer::Tokio)];
    Ok(vec![Figure::new(name, title, Unit::Instructions, targets, series)])
}

pub(super) fn handshakes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 50, many: lab.amount(1_050, 350) };
    let instructions = in_rounds(lab, "tls-handshake-instructions", &PEERS, 1, |peer| {
        let setup = Setup::new(lab, peer)?;
        let load = |address, connections| setup.churn(address, connections);
        callgrind::of_server(lab, &setup.server, slope, load)
    })?;
    let connections = lab.amount(5_000, 1_000);
    let cpu = in_rounds(lab, "tls-handshake-cpu", &PEERS, lab.runs(), |peer| {
        let setup = Setup::new(lab, peer)?;
        let server = setup.server.clone().pinned_to(lab.server_cpu()).start()?;
        lab.on_client_cpu(|| {
            setup.churn(server.address, connections / 10)?;
            let load = || setup.churn(server.address, connections);
            cpu_time::per_request(server.pid, connections, load)
        })
    })?;
    Ok(vec![
        Figure::new(
            "tls-handshake-instructions",
            "user instructions per TLS connection with a full handshake and one echo",
            Unit::Instructions,
            [Target::Times(1.0, Peer::Tokio)],
            instructions,
        ),
        Figure::new(
            "tls-handshake-cpu",
            "CPU time per TLS connection with a full handshake and one echo",
            Unit::Microseconds,
            [Target::Times(1.05, Peer::Tokio)],
            cpu,
        ),
    ])
}
