//! The cost of a console: of the counts that it shows, and of its answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::figure::{Figure, Measured, Series, Statistics, Target, Unit};
use crate::lab::Lab;
use crate::load::echo::Clients;
use crate::load::watched::{Scraper, Watched};
use crate::measure::{Slope, callgrind, cpu_time, memory};
use crate::peer::Peer;
use crate::process::ServerProcess;

/// State changes of a turn of the program `watched`.
const CHANGES: f64 = 1_000.0;
/// Connections of a closed loop.
const CONNECTIONS: usize = 64;
/// Connections that are open while a console is asked. Each end is in a process of its own.
const CROWD: usize = 15_000;
/// Requests before a measurement begins.
const WARM_UP: u64 = 12_800;

/// User instructions that a transition takes because it is counted.
pub(super) fn change(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let slope = Slope { few: 20, many: 120 };
    let mut instructions = [false, true].into_iter().map(|has_console| {
        let program = Watched::build(lab, has_console)?.program;
        slope.measure(|turns| {
            callgrind::of_program(lab, &program, &["change".to_owned(), turns.to_string()])
        })
    });
    let mut next = || instructions.next().unwrap_or_else(|| Err(Error::failed("two builds")));
    let (without, with) = (next()? / CHANGES, next()? / CHANGES);
    lab.log(&format!("console-change: {without:.2} instructions without, {with:.2} with counts"));
    let title = "user instructions that counting adds to a state change";
    Ok(vec![figure(
        "console-change",
        title,
        Unit::Instructions,
        &[Target::AtMost(4.0)],
        vec![with - without],
    )])
}

/// CPU time per echo with a console that is scraped once a second, relative to a build without one.
pub(super) fn cpu(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let [without, with] = [Watched::build(lab, false)?, Watched::build(lab, true)?];
    let requests = lab.amount(640_000, 192_000);
    let mut ratios = Vec::new();
    for _ in 0..lab.runs() {
        let plain = without.start(lab)?;
        let base = per_echo(lab, &plain, requests)?;
        plain.end()?;
        let watched = with.start(lab)?;
        let scraped = beside(&mut with.scraper()?, || per_echo(lab, &watched, requests))?;
        watched.end()?;
        ratios.push(scraped / base);
    }
    let title = "CPU time per echo with a console that is scraped once a second, relative to none";
    Ok(vec![figure("console-cpu", title, Unit::Ratio, &[Target::AtMost(1.02)], ratios)])
}

fn per_echo(lab: &Lab, server: &ServerProcess, requests: u64) -> Result<f64, Error> {
    lab.on_client_cpu(|| {
        let mut clients = Clients::connect(server.address, CONNECTIONS)?;
        clients.closed_loop(WARM_UP, 1)?;
        cpu_time::per_request(server.pid, requests, || clients.closed_loop(requests, 1))
    })
}

/// The time of an answer with 15,000 idle connections, and what a scrape a second does to the p99 latency of
/// echoes on one of them.
pub(super) fn crowd(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let watched = Watched::build(lab, true)?;
    let server = watched.start(lab)?;
    let mut clients = Clients::connect(server.address, CROWD)?;
    clients.closed_loop(CROWD as u64, 1)?;
    let mut scraper = watched.scraper()?;
    let answers = (0..lab.amount(200, 50)).map(|_| {
        let asked = Instant::now();
        scraper.get("/connections?limit=100")?;
        Ok(asked.elapsed().as_secs_f64() * 1e3)
    });
    let answers = answers.collect::<Result<Vec<f64>, Error>>()?;
    let time = Duration::from_secs(lab.amount(10, 4));
    let (mut quiet, mut beside_scrapes) = (Vec::new(), Vec::new());
    for _ in 0..lab.runs() {
        quiet.push(p99(lab, &mut clients, time)?);
        beside_scrapes.push(beside(&mut scraper, || p99(lab, &mut clients, time))?);
    }
    let ratios =
        quiet.iter().zip(&beside_scrapes).map(|(quiet, scraped)| scraped / quiet).collect();
    server.end()?;
    Ok(vec![
        figure(
            "console-crowd-answer",
            "time of `/connections?limit=100` with 15,000 idle connections",
            Unit::Milliseconds,
            &[Target::AtMost(20.0)],
            answers,
        ),
        figure(
            "console-crowd-p99",
            "p99 latency of echoes beside 15,000 idle connections",
            Unit::Microseconds,
            &[],
            quiet,
        ),
        figure(
            "console-crowd-scraped",
            "p99 latency of echoes beside 15,000 idle connections with a scrape a second, relative to none",
            Unit::Ratio,
            &[Target::AtMost(1.05)],
            ratios,
        ),
    ])
}

/// Bytes of memory by which a thousand scrapes make the server grow.
pub(super) fn scrapes(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let watched = Watched::build(lab, true)?;
    let server = watched.start(lab)?;
    let mut clients = Clients::connect(server.address, 1_000)?;
    clients.closed_loop(1_000, 1)?;
    let mut scraper = watched.scraper()?;
    let mut scrape = |times: u64| -> Result<f64, Error> {
        for _ in 0..times {
            scraper.get("/metrics")?;
            scraper.get("/connections")?;
        }
        memory::anonymous(server.pid)
    };
    let before = scrape(1_000)?;
    let grown = (scrape(1_000)? - before).max(0.0);
    server.end()?;
    let title = "memory by which a server grows in 1,000 scrapes";
    Ok(vec![figure(
        "console-scrapes",
        title,
        Unit::Bytes,
        &[Target::AtMost(65_536.0)],
        vec![grown],
    )])
}

/// The p99 latency of single echoes in microseconds.
fn p99(lab: &Lab, clients: &mut Clients, time: Duration) -> Result<f64, Error> {
    let latencies = lab.on_client_cpu(|| clients.one_by_one(time))?;
    let latency = latencies.get(latencies.len() * 99 / 100);
    let latency = latency.ok_or_else(|| Error::failed("there was no echo"))?;
    Ok(latency.as_secs_f64() * 1e6)
}

/// Does the work while metrics and connections are asked for once a second.
fn beside(scraper: &mut Scraper, work: impl FnOnce() -> Result<f64, Error>) -> Result<f64, Error> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let scraping = scope.spawn(|| scrape_until(scraper, &done));
        let worked = work();
        done.store(true, Ordering::Relaxed);
        scraping.thread().unpark();
        scraping.join().map_err(|_| Error::failed("a scraper panicked"))??;
        worked
    })
}

fn scrape_until(scraper: &mut Scraper, done: &AtomicBool) -> Result<(), Error> {
    while !done.load(Ordering::Relaxed) {
        scraper.get("/metrics")?;
        scraper.get("/connections?limit=100")?;
        thread::park_timeout(Duration::from_secs(1));
    }
    Ok(())
}

fn figure(name: &str, title: &str, unit: Unit, targets: &[Target], values: Vec<f64>) -> Figure {
    let measured = vec![Measured { peer: Peer::Ours, value: Statistics::of(values) }];
    Figure::new(name, title, unit, targets, Series { measured, skipped: Vec::new() })
}
