use std::thread;
use std::time::Duration;

use super::{ALL, PLAIN, launch};
use crate::figure::{Target, Unit};
use crate::load::echo::Clients;
use crate::measure::{Slope, cpu as processor, memory, rounds};
use crate::{Error, Figure, Lab};

pub(crate) fn idle(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-idle-bytes";
    let slope = Slope { few: 2_000, many: lab.amount(18_000, 8_000) };
    let series = rounds(lab, name, &ALL, 1, |peer| {
        let server = launch(lab, peer)?.start()?;
        let mut clients = Clients::new()?;
        slope.of(|connections| {
            clients.grow(server.address, usize::try_from(connections).unwrap_or(0))?;
            // Each has been served once: what it keeps from that counts.
            clients.closed_loop(connections, 1)?;
            memory::anonymous(server.pid)
        })
    })?;
    let what = "memory of a connection that has had its echo and is idle";
    Ok(vec![Figure::new(name, what, Unit::Bytes, [Target::AtMost(64.0)], series)])
}

/// Requests a second, whoever they come from.
const RATE: u32 = 20_000;

pub(crate) fn crowd(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "echo-crowd";
    let time = Duration::from_millis(lab.amount(3_000, 1_000));
    let series = rounds(lab, name, &PLAIN, lab.runs(), |peer| {
        // All of a few connections are busy, or one in a hundred of many, now these and then others.
        let each = |connections: usize, busy: usize| {
            let server = launch(lab, peer)?.on(lab.cpus.map(|cpus| cpus.server)).start()?;
            lab.as_client(|| {
                let mut clients = Clients::connect(server.address, connections)?;
                clients.closed_loop(connections as u64, 1)?;
                thread::sleep(Duration::from_millis(100));
                let mut answers = 0;
                let spent = processor::spent(server.pid, || {
                    answers = clients.paced(RATE, time, busy)?;
                    Ok(())
                })?;
                Ok::<f64, Error>(processor::of_each(spent, answers))
            })
        };
        let few = each(100, 100)?;
        Ok(each(15_000, 150)? / few)
    })?;
    let what = "processor time of an echo with 15,000 connections, as a multiple of that with 100";
    Ok(vec![Figure::new(name, what, Unit::Number, [Target::AtMost(1.15)], series)])
}
