use std::time::{Duration, Instant};

use crate::figure::{Target, Unit, Value};
use crate::load::echo::Clients;
use crate::load::open::{Answers, OpenLoop};
use crate::measure::{Series, rounds};
use crate::servers::shed::ROOM;
use crate::{Error, Figure, Lab, Peer};

/// How much more a port does whose handlers compute, when it has two threads.
pub(super) fn threads(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let name = "threads-two";
    let requests = lab.amount(20_000, 5_000);
    let time = |peer, threads| -> Result<f64, Error> {
        // Nobody is pinned: the clients need little, and both processors are for the server.
        let server = lab.launch("heavy", peer)?.threads(threads).start()?;
        let mut clients = Clients::connect(server.address, ROOM)?;
        clients.closed_loop(requests / 10, 1)?;
        let begin = Instant::now();
        clients.closed_loop(requests, 1)?;
        let time = begin.elapsed().as_secs_f64();
        server.end()?;
        Ok(time)
    };
    let series = rounds(lab, name, &[Peer::Ours, Peer::TokioThreads], lab.runs(), |peer| {
        Ok(time(peer, 1)? / time(peer, 2)?)
    })?;
    let what = "throughput of one port with 2 threads, as so many times that with 1, where handlers compute";
    Ok(vec![Figure::new(name, what, Unit::Number, [Target::AtLeast(1.8)], series)])
}

/// What is left of a server that is asked for more than it can do.
pub(super) fn overload(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let time = Duration::from_millis(lab.amount(4000, 1500));
    let ask = |peer, rate: f64| {
        let cpu = lab.cpus.map(|cpus| cpus.server);
        let server = lab.launch("shed", peer)?.on(cpu).start()?;
        let load = OpenLoop { connections: 8 * ROOM, rate, time };
        let answers = lab.as_client(|| load.run(server.address))?;
        server.end()?;
        Ok::<_, Error>(answers)
    };
    let peers = [Peer::Ours, Peer::Tokio];
    let mut tails = Vec::new();
    let goodput = rounds(lab, "overload-goodput", &peers, lab.runs(), |peer| {
        let peak = capacity(lab, peer)?;
        let calm = ask(peer, 0.7 * peak)?;
        let storm = ask(peer, 1.5 * peak)?;
        if storm.refused == 0.0 {
            return Err(Error::failed("nothing was refused: it was no overload"));
        }
        tails.push((peer, tail(&storm) / tail(&calm)));
        Ok(storm.good / peak)
    })?;
    let of = |peer| tails.iter().filter(|(who, _)| *who == peer).map(|(_, tail)| *tail).collect();
    let values = goodput.values.iter().map(|(peer, _)| (*peer, Value::of(of(*peer)))).collect();
    let tails = Series { values, skipped: goodput.skipped.clone() };
    Ok(vec![
        Figure::new(
            "overload-goodput",
            "answers at 1.5 times what can be done, as a part of what can",
            Unit::Number,
            [Target::AtLeast(0.95)],
            goodput,
        ),
        Figure::new(
            "overload-tail",
            "p99.9 of answers at 1.5 times what can be done, as so many times that at 0.7",
            Unit::Number,
            [Target::AtMost(10.0)],
            tails,
        ),
    ])
}

/// How long the slowest of a thousand waited, in seconds.
fn tail(answers: &Answers) -> f64 {
    Duration::from_nanos(answers.waited.value_at_quantile(0.999)).as_secs_f64()
}

/// Requests a second that the server answers when there is always one to do, and never one too many.
fn capacity(lab: &Lab, peer: Peer) -> Result<f64, Error> {
    let requests: u32 = if lab.quick { 5_000 } else { 20_000 };
    let cpu = lab.cpus.map(|cpus| cpus.server);
    let server = lab.launch("shed", peer)?.on(cpu).start()?;
    let rate = lab.as_client(|| {
        let mut clients = Clients::connect(server.address, ROOM / 2)?;
        clients.closed_loop(u64::from(requests / 10), 1)?;
        let begin = Instant::now();
        clients.closed_loop(requests.into(), 1)?;
        Ok::<_, Error>(f64::from(requests) / begin.elapsed().as_secs_f64())
    })?;
    server.end()?;
    Ok(rate)
}
