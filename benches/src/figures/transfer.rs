use std::net::SocketAddr;

use crate::figure::{Target, Unit};
use crate::load::{download, upload};
use crate::measure::{cpu, rounds};
use crate::process::Launch;
use crate::servers::nginx::Nginx;
use crate::{Error, Figure, Lab, Peer};

/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

const TARGETS: [Target; 2] = [Target::Times(1.02, Peer::Mio), Target::Below(Peer::Tokio)];

/// The file that nginx sends.
const FILE: &str = "/bytes";

pub(super) fn uploads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "upload-cpu";
    let what = "user and system time of 1 MB, in uploads of 300 kB; nginx has PUT, and keeps what \
                comes as files in memory";
    let peers = [Peer::Ours, Peer::Mio, Peer::Tokio, Peer::TokioThreads, Peer::Nginx];
    let bodies = lab.amount(8_000, 2_000);
    let series = rounds(lab, name, &peers, lab.runs(), |peer| {
        let spent = |launch: &Launch, run: Run| {
            microseconds(lab, launch, (bodies, upload::SIZE), |address, bodies| {
                run(address, CONNECTIONS, bodies)
            })
        };
        if peer == Peer::Nginx {
            return spent(&Nginx::new(false)?.launch(), upload::run_http);
        }
        spent(&launch(lab, "upload", peer)?, upload::run)
    })?;
    Ok(vec![Figure::new(name, what, Unit::Microseconds, TARGETS, series)])
}

type Run = fn(SocketAddr, usize, u64) -> Result<(), Error>;

pub(super) fn downloads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "download-cpu";
    let what = "user and system time of 1 MB, in downloads of 16 MB; nginx reads them from a file \
                in memory, or has the kernel send that";
    let peers =
        [Peer::Ours, Peer::Mio, Peer::Tokio, Peer::TokioThreads, Peer::Nginx, Peer::NginxSendfile];
    let downloads = lab.amount(200, 40);
    let series = rounds(lab, name, &peers, lab.runs(), |peer| {
        let amount = (downloads, download::SIZE);
        if matches!(peer, Peer::Nginx | Peer::NginxSendfile) {
            let nginx = Nginx::new(peer == Peer::NginxSendfile)?;
            nginx.file(FILE, &vec![b'x'; download::SIZE])?;
            return microseconds(lab, &nginx.launch(), amount, |address, downloads| {
                download::run_http(address, CONNECTIONS, downloads, FILE)
            });
        }
        microseconds(lab, &launch(lab, "download", peer)?, amount, |address, downloads| {
            download::run(address, CONNECTIONS, downloads)
        })
    })?;
    Ok(vec![Figure::new(name, what, Unit::Microseconds, TARGETS, series)])
}

fn launch(lab: &Lab, work: &str, peer: Peer) -> Result<Launch, Error> {
    let launch = lab.launch(work, peer)?;
    Ok(if peer == Peer::TokioThreads { launch.threads(2) } else { launch })
}

/// What each MB costs a server that transfers so many times so many bytes.
#[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^53")]
fn microseconds(
    lab: &Lab,
    launch: &Launch,
    (times, size): (u64, usize),
    run: impl Fn(SocketAddr, u64) -> Result<(), Error> + Send,
) -> Result<f64, Error> {
    let server = launch.clone().on(lab.cpus.map(|cpus| cpus.server)).start()?;
    let (pid, address) = (server.pid, server.address);
    let spent = lab.as_client(move || {
        run(address, times / 10)?;
        cpu::spent(pid, || run(address, times))
    })?;
    let megabytes = times as f64 * size as f64 / 1e6;
    Ok(spent.as_secs_f64() * 1e6 / megabytes)
}
