//! Large transfers in one direction.

use crate::error::Error;
use crate::external::nginx::Nginx;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::exchange::Exchange;
use crate::load::{download, upload};
use crate::measure::{Slope, cpu_time, in_rounds, system_calls};
use crate::peer::Peer;
use crate::process::ServerCommand;

/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

/// Runs per count of system calls. The bytes per read vary, because they depend on the relative
/// speed of server and clients.
const RUNS: usize = 3;

/// The file that nginx sends.
const FILE: &str = "/bytes";

const PEERS: [Peer; 8] = [
    Peer::Ours,
    Peer::Mio,
    Peer::C,
    Peer::Tokio,
    Peer::TokioThreads,
    Peer::Compio,
    Peer::Nginx,
    Peer::NginxSendfile,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Upload,
    Download,
}

/// A server with the exchange that its clients make.
struct Setup {
    server: ServerCommand,
    exchange: Exchange,
    /// Keeps nginx's files until the measurement ends.
    _nginx: Option<Nginx>,
}

pub(super) fn uploads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let times = lab.amount(8_000, 2_000);
    Ok(vec![cpu(lab, Direction::Upload, times)?, calls(lab, Direction::Upload, 1_000)?])
}

pub(super) fn downloads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let times = lab.amount(200, 40);
    Ok(vec![cpu(lab, Direction::Download, times)?, calls(lab, Direction::Download, 40)?])
}

fn cpu(lab: &Lab, direction: Direction, transfers: u64) -> Result<Figure, Error> {
    let name = format!("{}-cpu", direction.workload());
    let series = in_rounds(lab, &name, direction.peers(), lab.runs(), |peer| {
        let setup = direction.setup(lab, peer)?;
        let server = setup.server.pinned_to(lab.server_cpu()).start()?;
        let exchange = setup.exchange;
        let per_transfer = lab.on_client_cpu(|| {
            let mut clients = exchange.connect(server.address, CONNECTIONS)?;
            clients.run(transfers / 10)?;
            cpu_time::per_request(server.pid, transfers, || clients.run(transfers))
        })?;
        Ok(per_transfer / direction.megabytes())
    })?;
    let title = format!("CPU time per MB, {}", direction.label());
    let targets = [Target::Times(1.02, Peer::Mio), Target::Below(Peer::Tokio)];
    Ok(Figure::new(&name, &title, Unit::Microseconds, targets, series))
}

fn calls(lab: &Lab, direction: Direction, transfers: u64) -> Result<Figure, Error> {
    let name = format!("{}-system-calls", direction.workload());
    let slope = Slope { few: transfers / 10, many: transfers };
    let series = in_rounds(lab, &name, direction.peers(), RUNS, |peer| {
        let setup = direction.setup(lab, peer)?;
        let load =
            |address, transfers| setup.exchange.connect(address, CONNECTIONS)?.run(transfers);
        let per_transfer = system_calls::of_server(lab, &setup.server, slope, load)?;
        Ok(per_transfer / direction.megabytes())
    })?;
    let counter = system_calls::counter();
    let title = format!("system calls per MB, {}, counted by {counter}", direction.label());
    Ok(Figure::new(&name, &title, Unit::SystemCalls, [], series))
}

impl Direction {
    fn workload(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Upload => "uploads of 300 kB",
            Self::Download => "downloads of 16 MB",
        }
    }

    /// nginx has no `sendfile` for uploads.
    fn peers(self) -> &'static [Peer] {
        match self {
            Self::Upload => &PEERS[..7],
            Self::Download => &PEERS,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^53")]
    fn megabytes(self) -> f64 {
        let size = match self {
            Self::Upload => upload::SIZE,
            Self::Download => download::SIZE,
        };
        size as f64 / 1e6
    }

    fn setup(self, lab: &Lab, peer: Peer) -> Result<Setup, Error> {
        if matches!(peer, Peer::Nginx | Peer::NginxSendfile) {
            return self.nginx_setup(peer == Peer::NginxSendfile);
        }
        let server = lab.server(self.workload(), peer)?;
        let server = if peer == Peer::TokioThreads { server.threads(2) } else { server };
        let exchange = match self {
            Self::Upload => upload::exchange(),
            Self::Download => download::exchange(),
        };
        Ok(Setup { server, exchange, _nginx: None })
    }

    fn nginx_setup(self, sendfile: bool) -> Result<Setup, Error> {
        let nginx = Nginx::new(sendfile)?;
        let exchange = match self {
            Self::Upload => upload::http_exchange(CONNECTIONS),
            Self::Download => {
                nginx.create_file(FILE, &vec![b'x'; download::SIZE])?;
                download::http_exchange(FILE)
            }
        };
        Ok(Setup { server: nginx.server(), exchange, _nginx: Some(nginx) })
    }
}
