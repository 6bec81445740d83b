use super::setup::{ALL, CONNECTIONS, server};
use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::churn::churn;
use crate::load::echo::Clients;
use crate::measure::{cpu_time, in_rounds};
use crate::peer::Peer;

/// Requests before a measurement begins.
const WARM_UP: u64 = 12_800;
/// Connections before a measurement begins.
const WARM_UP_CONNECTIONS: u64 = 320;

pub(crate) fn cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let mut figures = Vec::new();
    for (depth, requests) in
        [(1, lab.amount(192_000, 64_000)), (16, lab.amount(1_024_000, 256_000))]
    {
        let name = format!("echo-cpu-p{depth}");
        let series = in_rounds(lab, &name, &ALL, lab.runs(), |peer| {
            let server = server(lab, peer)?.pinned_to(lab.server_cpu()).start()?;
            lab.on_client_cpu(|| {
                let mut clients = Clients::connect(server.address, CONNECTIONS)?;
                clients.closed_loop(WARM_UP, depth)?;
                let work = || clients.closed_loop(requests, depth);
                cpu_time::per_request(server.pid, requests, work)
            })
        })?;
        let title =
            format!("CPU time per echo, {CONNECTIONS} connections, {depth} in flight on each");
        let targets = [Target::Times(1.02, Peer::C), Target::Below(Peer::Tokio)];
        figures.push(Figure::new(&name, &title, Unit::Microseconds, targets, series));
    }
    Ok(figures)
}

pub(crate) fn churn_cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-churn-cpu";
    let connections = lab.amount(16_000, 4_800);
    let series = in_rounds(lab, name, &ALL, lab.runs(), |peer| {
        let server = server(lab, peer)?.pinned_to(lab.server_cpu()).start()?;
        lab.on_client_cpu(|| {
            churn(server.address, WARM_UP_CONNECTIONS)?;
            let work = || churn(server.address, connections);
            cpu_time::per_request(server.pid, connections, work)
        })
    })?;
    let targets = [Target::Times(1.05, Peer::Mio)];
    let title = "CPU time per connection with one echo";
    Ok(vec![Figure::new(name, title, Unit::Microseconds, targets, series)])
}
