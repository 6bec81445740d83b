use crate::figure::{Target, Unit};
use crate::load::echo::Clients;
use crate::measure::{Slope, callgrind, rounds};
use crate::{Error, Figure, Lab, Peer};

const WORK: &str = "echo";
/// Connections of a closed loop.
const CONNECTIONS: usize = 64;

pub(super) fn instructions(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-instructions";
    let peers =
        [Peer::Ours, Peer::Mio, Peer::MioFeatures, Peer::C, Peer::Tokio, Peer::TokioThreads];
    let slope = Slope { few: 10_000, many: lab.amount(110_000, 30_000) };
    let series = rounds(lab, name, &peers, 1, |peer| {
        callgrind::instructions(lab, &lab.launch(WORK, peer)?, slope, |address, requests| {
            Clients::connect(address, CONNECTIONS)?.closed_loop(requests, 1)
        })
    })?;
    let targets = [Target::AtMost(110.0), Target::Times(1.0, Peer::MioFeatures)];
    let what = "user instructions of a 64-byte echo";
    Ok(vec![Figure::new(name, what, Unit::Instructions, targets, series)])
}
