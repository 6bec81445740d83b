use super::{ALL, CONNECTIONS, launch};
use crate::figure::{Target, Unit};
use crate::load::echo::{self, Clients};
use crate::measure::{cpu as processor, rounds};
use crate::{Error, Figure, Lab, Peer};

/// Requests before it is measured what one costs.
const WARM_UP: u64 = 12_800;

pub(crate) fn cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for (depth, requests) in
        [(1, lab.amount(192_000, 64_000)), (16, lab.amount(1_024_000, 256_000))]
    {
        let name = format!("echo-cpu-p{depth}");
        let series = rounds(lab, &name, &ALL, lab.runs(), |peer| {
            let server = launch(lab, peer)?.on(lab.cpus.map(|cpus| cpus.server)).start()?;
            lab.as_client(|| {
                let mut clients = Clients::connect(server.address, CONNECTIONS)?;
                clients.closed_loop(WARM_UP, depth)?;
                processor::each(server.pid, requests, || clients.closed_loop(requests, depth))
            })
        })?;
        let what = format!("processor time of an echo, 64 connections, {depth} at a time on each");
        let targets = [Target::Times(1.02, Peer::C), Target::Below(Peer::Tokio)];
        figures.push(Figure::new(&name, &what, Unit::Microseconds, targets, series));
    }
    Ok(figures)
}

pub(crate) fn churn(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-churn-cpu";
    let connections = lab.amount(16_000, 4_800);
    let series = rounds(lab, name, &ALL, lab.runs(), |peer| {
        let server = launch(lab, peer)?.on(lab.cpus.map(|cpus| cpus.server)).start()?;
        lab.as_client(|| {
            echo::churn(server.address, 320)?;
            processor::each(server.pid, connections, || echo::churn(server.address, connections))
        })
    })?;
    let targets = [Target::Times(1.05, Peer::Mio)];
    let what = "processor time of a connection with one echo";
    Ok(vec![Figure::new(name, what, Unit::Microseconds, targets, series)])
}
