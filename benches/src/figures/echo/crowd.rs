use std::thread;
use std::time::Duration;

use super::setup::{PLAIN_THREADS, server};
use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::measure::{cpu_time, in_rounds};
use crate::peer::Peer;

/// Requests per second of all connections together.
const RATE: u32 = 20_000;
/// The time between the first echoes and the measurement.
const SETTLE: Duration = Duration::from_millis(100);

/// Connections, of which some are busy at a time.
#[derive(Clone, Copy)]
struct Crowd {
    connections: usize,
    busy: usize,
}

const SMALL: Crowd = Crowd { connections: 100, busy: 100 };
const LARGE: Crowd = Crowd { connections: 15_000, busy: 150 };

pub(crate) fn crowd(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-crowd";
    let series = in_rounds(lab, name, &PLAIN_THREADS, lab.runs(), |peer| {
        let small = SMALL.cpu_per_echo(lab, peer)?;
        Ok(LARGE.cpu_per_echo(lab, peer)? / small)
    })?;
    let title = "CPU time per echo with 15,000 connections, relative to 100 connections";
    Ok(vec![Figure::new(name, title, Unit::Ratio, [Target::AtMost(1.15)], series)])
}

impl Crowd {
    fn cpu_per_echo(self, lab: &Lab, peer: Peer) -> Result<f64, Error> {
        let time = Duration::from_millis(lab.amount(3_000, 1_000));
        let server = server(lab, peer)?.pinned_to(lab.server_cpu()).start()?;
        lab.on_client_cpu(|| {
            let mut clients = Clients::connect(server.address, self.connections)?;
            clients.closed_loop(self.connections as u64, 1)?;
            thread::sleep(SETTLE);
            let mut answers = 0;
            let spent = cpu_time::during(server.pid, || {
                answers = clients.paced(RATE, time, self.busy)?;
                Ok(())
            })?;
            Ok(cpu_time::divide(spent, answers))
        })
    }
}
