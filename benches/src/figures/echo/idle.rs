use super::setup::{ALL, server};
use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::measure::{Slope, in_rounds, memory};

pub(crate) fn idle_bytes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-idle-bytes";
    let slope = Slope { few: 2_000, many: lab.amount(18_000, 8_000) };
    let series = in_rounds(lab, name, &ALL, 1, |peer| {
        let server = server(lab, peer)?.start()?;
        let mut clients = Clients::new()?;
        slope.measure(|connections| {
            clients.grow(server.address, usize::try_from(connections).unwrap_or(0))?;
            // One echo on each connection makes the server allocate what it keeps while idle.
            clients.closed_loop(connections, 1)?;
            memory::anonymous(server.pid)
        })
    })?;
    let title = "memory per idle connection, after one echo";
    Ok(vec![Figure::new(name, title, Unit::Bytes, [Target::AtMost(64.0)], series)])
}
