//! A load generator for Redis and HTTP/1.1 servers, made of client machines: a pool opens the connections and
//! runs a machine on each, on one thread, also for ten thousand of them.
//!
//! ```sh
//! cargo run --release --bin kv &
//! cargo run --release --bin loadgen -- --resp 127.0.0.1:6380 --connections 1000 --pipeline 4
//! cargo run --release --bin docserver &
//! cargo run --release --bin loadgen -- --http http://127.0.0.1:7070/ --rate 5000 --json
//! ```
//!
//! Targets like `tls:HOST:PORT` and URLs with `https` use TLS.
//!
//! Without `--rate` the loop is closed: a connection sends its next request when the answer to the one before
//! has come. A server that stalls is then asked less, and its stall is in one latency of each connection. With
//! `--rate` the loop is open: each connection has a timetable, its requests are due whatever the server does,
//! and their latencies count from the time at which they are due (no "coordinated omission").
//!
//! A request counts if it is due in the time of `--duration`, which begins after that of `--warmup`. With
//! `--requests` the run has a fixed number of requests instead, which all count, and ends with the last answer.
//! Errors count over the whole run.
//!
//! Start reading at `resp.rs`, the machine of a connection to Redis; `http.rs` is the one for HTTP. Both ask
//! `requests.rs` what to do next.

#![forbid(unsafe_code)]

mod budget;
mod head;
mod http;
mod load;
mod options;
mod report;
mod requests;
mod resp;
mod tally;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use fsm_runtime::prelude::*;
use fsm_runtime::{Builder, Connection, Stats, TlsClient};
use tracing_subscriber::filter::LevelFilter;

use load::{Event, Limits, Load};
use options::{Options, Server};
use report::Report;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::WARN).init();
    let tls = options.tls()?;
    let load = Arc::new(Load::new(&options));
    let stats = match options.server() {
        Server::Resp(target) => {
            let (side, pool) = (resp::Side::maker(&load, &options), pool::<resp::Resp>(&options));
            run(pool.connect(target), tls, &load, side)?
        }
        Server::Http(url) => {
            let (side, pool) = (http::Side::maker(&load, url), pool::<http::Http>(&options));
            run(pool.connect(url.target.clone()), tls, &load, side)?
        }
    };
    let report = Report::new(&options, &load, &stats);
    let mut out = io::stdout();
    if options.json {
        writeln!(out, "{:#}", report.json())?;
    } else {
        write!(out, "{report}")?;
    }
    Ok(if report.requests() == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A pool of as many connections as the options say, on one thread.
fn pool<M>(options: &Options) -> Builder<M>
where
    M: Machine<Seed = (), Kind = Connection, Settings = Limits>,
{
    Pool::builder::<M>("loadgen")
        .connections(options.connections.get())
        // A connection that ends is replaced soon, and a server that is not there is not asked all the time.
        .retry(Duration::from_millis(1)..=Duration::from_millis(20))
        .connect_within(options.timeout)
        .drain_within(options.timeout)
        .settings(Limits { timeout: options.timeout })
}

/// Runs the pool until its time is over or a signal comes. `Pool::run` also raises the limit of open files, which
/// `start` would leave to the program.
fn run<M, H>(
    builder: Builder<M>,
    tls: Option<TlsClient>,
    load: &Arc<Load>,
    mut side: impl FnMut() -> H + Send + 'static,
) -> Result<Stats, PoolError>
where
    M: Machine<Seed = (), Kind = Connection> + Drive<H>,
    H: Send + 'static,
{
    let handle = builder.handle();
    let side = move |_server| side();
    let pool = match tls {
        None => builder.handler(side),
        Some(tls) => builder.tls_client(tls).handler(side),
    };
    let watch = {
        let (handle, load) = (handle.clone(), Arc::clone(load));
        thread::spawn(move || watch(&handle, &load))
    };
    let result = pool.run();
    load.pool_ended();
    // The thread ends at once, because the pool has ended.
    let _ = watch.join();
    result.map(|()| handle.stats())
}

/// Prints a line on stderr each second, and drains the pool when the run is over.
fn watch<M: Machine>(handle: &Handle<M>, load: &Load) {
    let mut last = 0;
    for second in 1.. {
        match load.wait(load.begun + Duration::from_secs(second)) {
            Event::Time => {}
            Event::Over => return handle.drain(),
            Event::Ended => return,
        }
        let ((answers, errors), stats) = (load.counts(), handle.stats());
        let errors = errors.with(&stats).total();
        let before = std::mem::replace(&mut last, answers);
        // A closed stderr is no reason to stop.
        let _ = writeln!(
            io::stderr(),
            "{second:4} s: {} connections, {} answers/s, {errors} errors",
            stats.open,
            answers - before
        );
    }
}
