//! Many bytes one way.

use crate::figure::{Target, Unit};
use crate::load::exchange::Exchange;
use crate::load::{download, upload};
use crate::measure::{Slope, cpu as processor, rounds, system_calls as calls};
use crate::process::Launch;
use crate::servers::nginx::Nginx;
use crate::{Error, Figure, Lab, Peer};

/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

/// How much each read gets is a matter of who is faster, server or clients: so it is counted again.
const RACES: usize = 3;

/// The file that nginx sends.
const FILE: &str = "/bytes";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

pub(super) fn uploads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    Ok(vec![cpu(lab, Way::Up, lab.amount(8_000, 2_000))?, system_calls(lab, Way::Up, 1_000)?])
}

pub(super) fn downloads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    Ok(vec![cpu(lab, Way::Down, lab.amount(200, 40))?, system_calls(lab, Way::Down, 40)?])
}

fn cpu(lab: &Lab, way: Way, times: u64) -> Result<Figure, Error> {
    let name = format!("{}-cpu", way.work());
    let series = rounds(lab, &name, way.peers(), lab.runs(), |peer| {
        let (launch, exchange, _nginx) = way.contest(lab, peer)?;
        let server = launch.on(lab.cpus.map(|cpus| cpus.server)).start()?;
        let each = lab.as_client(|| {
            let mut clients = exchange.connect(server.address, CONNECTIONS)?;
            clients.run(times / 10)?;
            processor::each(server.pid, times, || clients.run(times))
        })?;
        Ok(each / way.megabytes())
    })?;
    let what = format!("processor time of 1 MB, in {}", way.what());
    let targets = [Target::Times(1.02, Peer::Mio), Target::Below(Peer::Tokio)];
    Ok(Figure::new(&name, &what, Unit::Microseconds, targets, series))
}

fn system_calls(lab: &Lab, way: Way, times: u64) -> Result<Figure, Error> {
    let name = format!("{}-system-calls", way.work());
    let slope = Slope { few: times / 10, many: times };
    let series = rounds(lab, &name, way.peers(), RACES, |peer| {
        let (launch, exchange, _nginx) = way.contest(lab, peer)?;
        let each = calls::all(lab, &launch, slope, |address, times| {
            exchange.connect(address, CONNECTIONS)?.run(times)
        })?;
        Ok(each / way.megabytes())
    })?;
    let what = format!("system calls of 1 MB, counted by {}, in {}", calls::counter(), way.what());
    Ok(Figure::new(&name, &what, Unit::SystemCalls, [], series))
}

impl Way {
    fn work(self) -> &'static str {
        match self {
            Self::Up => "upload",
            Self::Down => "download",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Up => "uploads of 300 kB; nginx has PUT, and keeps them as files in memory",
            Self::Down => {
                "downloads of 16 MB; nginx reads them from a file in memory, or has the kernel \
                 send that"
            }
        }
    }

    fn peers(self) -> &'static [Peer] {
        let peers = &[
            Peer::Ours,
            Peer::Mio,
            Peer::C,
            Peer::Tokio,
            Peer::TokioThreads,
            Peer::Compio,
            Peer::Nginx,
            Peer::NginxSendfile,
        ];
        match self {
            Self::Up => &peers[..7],
            Self::Down => peers,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^53")]
    fn megabytes(self) -> f64 {
        let size = match self {
            Self::Up => upload::SIZE,
            Self::Down => download::SIZE,
        };
        size as f64 / 1e6
    }

    /// A server, what clients do with it, and what must live as long.
    fn contest(self, lab: &Lab, peer: Peer) -> Result<(Launch, Exchange, Option<Nginx>), Error> {
        if matches!(peer, Peer::Nginx | Peer::NginxSendfile) {
            let nginx = Nginx::new(peer == Peer::NginxSendfile)?;
            let exchange = match self {
                Self::Up => upload::exchange_of_http(CONNECTIONS),
                Self::Down => {
                    nginx.file(FILE, &vec![b'x'; download::SIZE])?;
                    download::exchange_of_http(FILE)
                }
            };
            return Ok((nginx.launch(), exchange, Some(nginx)));
        }
        let launch = lab.launch(self.work(), peer)?;
        let launch = if peer == Peer::TokioThreads { launch.threads(2) } else { launch };
        let exchange = match self {
            Self::Up => upload::exchange(),
            Self::Down => download::exchange(),
        };
        Ok((launch, exchange, None))
    }
}
