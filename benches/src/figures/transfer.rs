use std::time::Duration;

use crate::figure::{Target, Unit};
use crate::load::{download, upload};
use crate::measure::{cpu, rounds};
use crate::process::Process;
use crate::servers::nginx::Nginx;
use crate::{Error, Figure, Lab, Peer};

/// Connections of a closed loop.
const CONNECTIONS: usize = 8;

const TARGETS: [Target; 2] = [Target::Times(1.02, Peer::Mio), Target::Below(Peer::Tokio)];

/// The file that nginx sends.
const FILE: &str = "bytes";

pub(super) fn uploads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let peers = [Peer::Ours, Peer::Mio, Peer::Tokio, Peer::TokioThreads, Peer::Nginx];
    let what = "user and system time of 1 MB of uploads of 300 kB; nginx takes them by PUT and \
                keeps them as files in memory";
    let bodies = lab.amount(4_000, 500);
    let series = rounds(lab, "upload-cpu", &peers, lab.runs(), |peer| {
        let nginx = nginx(peer)?;
        measure(
            lab,
            "upload",
            peer,
            nginx.as_ref(),
            bodies * upload::SIZE as u64,
            |server, part| {
                let bodies = bodies / part;
                match nginx {
                    None => upload::run(server.address, CONNECTIONS, bodies),
                    Some(_) => upload::run_http(server.address, CONNECTIONS, bodies),
                }
            },
        )
    })?;
    Ok(vec![Figure::new("upload-cpu", what, Unit::Microseconds, TARGETS, series)])
}

pub(super) fn downloads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let peers =
        [Peer::Ours, Peer::Mio, Peer::Tokio, Peer::TokioThreads, Peer::Nginx, Peer::NginxSendfile];
    let what = "user and system time of 1 MB of downloads of 16 MB; nginx reads them from a file \
                in memory, or has the kernel send that";
    let downloads = lab.amount(100, 20);
    let series = rounds(lab, "download-cpu", &peers, lab.runs(), |peer| {
        let nginx = nginx(peer)?;
        if let Some(nginx) = &nginx {
            nginx.file(FILE, &vec![b'x'; download::SIZE])?;
        }
        let bytes = downloads * download::SIZE as u64;
        measure(lab, "download", peer, nginx.as_ref(), bytes, |server, part| {
            let downloads = downloads / part;
            match nginx {
                None => download::run(server.address, CONNECTIONS, downloads),
                Some(_) => download::run_http(server.address, CONNECTIONS, downloads, FILE),
            }
        })
    })?;
    Ok(vec![Figure::new("download-cpu", what, Unit::Microseconds, TARGETS, series)])
}

fn nginx(peer: Peer) -> Result<Option<Nginx>, Error> {
    match peer {
        Peer::Nginx => Nginx::new(false).map(Some),
        Peer::NginxSendfile => Nginx::new(true).map(Some),
        _ => Ok(None),
    }
}

/// The microseconds that each MB costs. The load is told which part of it to run.
fn measure(
    lab: &Lab,
    work: &str,
    peer: Peer,
    nginx: Option<&Nginx>,
    bytes: u64,
    load: impl Fn(&Process, u64) -> Result<(), Error> + Send,
) -> Result<f64, Error> {
    let launch = match nginx {
        Some(nginx) => nginx.launch(),
        None => lab.launch(work, peer)?,
    };
    let server = launch.on(lab.cpus.map(|cpus| cpus.server)).start()?;
    let spent: Duration = lab.as_client(|| {
        load(&server, 10)?;
        cpu::spent(server.pid, || load(&server, 1))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "amounts of work are far below 2^53")]
    let megabytes = bytes as f64 / 1e6;
    Ok(spent.as_secs_f64() * 1e6 / megabytes)
}
