//! A load on servers whose processes follow each other, each in its own way, for a comparison: what clients lose.

#![expect(clippy::cast_precision_loss, reason = "counts are shown per restart")]

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::Latencies;

mod client;
mod clients;
mod docserver;
mod haproxy;
mod kv;
mod nginx;
mod process;
mod protocol;
mod tokio_server;
mod tools;

pub use tokio_server::serve as serve_with_tokio;

use clients::{Clients, Counts};
use protocol::Protocol;
use tools::Tools;

/// A load.
#[derive(Clone, Debug)]
pub struct RestartLoad {
    /// The number of connections that do nothing between their first answer and the end.
    pub at_rest: usize,
    /// The number of connections that ask again after a pause.
    pub busy: usize,
    /// The number of clients that make a connection for each request.
    pub newcomers: usize,
    /// The time of a client between an answer and its next request.
    pub pause: Duration,
    /// The number of restarts.
    pub restarts: usize,
    /// The time between two restarts.
    pub apart: Duration,
    /// Whether `wrk` and `h2load --h1` run, too, on servers that speak HTTP.
    pub tools: bool,
}

/// A server, and how a new process takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// `kv`, whose connections move.
    KvUpgrade,
    /// `docserver` with `--upgrade`.
    DocserverUpgrade,
    /// `docserver` with `--reuse-port`: the new process starts beside the old one, which drains then.
    DocserverReusePort,
    /// `nginx -s reload`: the same master, new workers.
    NginxReload,
    /// nginx with SIGUSR2, SIGWINCH and SIGQUIT: a new program.
    NginxUpgrade,
    /// nginx with `reuseport`: a second one starts beside the old one, which quits then.
    NginxReusePort,
    /// `HAProxy` with a master, which SIGUSR2 makes replace its worker; the listeners move by `expose-fd`.
    HaproxyReload,
    /// `HAProxy` with `-sf` and `-x`.
    HaproxySoftStop,
    /// A server on tokio, which closes connections at rest when it drains; the listener outlives it.
    Tokio,
}

/// The result.
#[derive(Debug)]
pub struct RestartReport {
    restart: Restart,
    restarts: usize,
    counts: Counts,
    wrk: String,
    h2load: String,
}

/// A server at work. Dropping it ends all its processes.
trait Server {
    fn address(&self) -> SocketAddr;

    fn protocol(&self) -> Protocol;

    /// Lets a new process take the place of the old one, and waits until the old one has ended, but not for ever.
    fn restart(&mut self) -> io::Result<()>;
}

impl Restart {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KvUpgrade,
        Self::DocserverUpgrade,
        Self::DocserverReusePort,
        Self::NginxReload,
        Self::NginxUpgrade,
        Self::NginxReusePort,
        Self::HaproxyReload,
        Self::HaproxySoftStop,
        Self::Tokio,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::KvUpgrade => "`kv --upgrade`, SIGUSR2",
            Self::DocserverUpgrade => "`docserver --upgrade`, SIGUSR2",
            Self::DocserverReusePort => "`docserver --reuse-port`, start and SIGTERM",
            Self::NginxReload => "nginx, reload",
            Self::NginxUpgrade => "nginx, SIGUSR2, SIGWINCH, SIGQUIT",
            Self::NginxReusePort => "nginx with `reuseport`, start and SIGQUIT",
            Self::HaproxyReload => "HAProxy `-W`, SIGUSR2",
            Self::HaproxySoftStop => "HAProxy `-x`, `-sf`",
            Self::Tokio => "tokio, one listener, drained",
        }
    }

    fn start(self, at_most: usize) -> io::Result<Box<dyn Server>> {
        Ok(match self {
            Self::KvUpgrade => Box::new(kv::Kv::start()),
            Self::DocserverUpgrade => Box::new(docserver::Upgrading::start()?),
            Self::DocserverReusePort => Box::new(docserver::Sharing::start()),
            Self::NginxReload => Box::new(nginx::Nginx::start(nginx::Way::Reload, at_most)?),
            Self::NginxUpgrade => Box::new(nginx::Nginx::start(nginx::Way::Upgrade, at_most)?),
            Self::NginxReusePort => Box::new(nginx::Nginx::start(nginx::Way::ReusePort, at_most)?),
            Self::HaproxyReload => Box::new(haproxy::Haproxy::start(true, at_most)?),
            Self::HaproxySoftStop => Box::new(haproxy::Haproxy::start(false, at_most)?),
            Self::Tokio => Box::new(tokio_server::TokioServer::start()?),
        })
    }
}

impl RestartLoad {
    /// Runs the load on a server while its processes follow each other.
    ///
    /// # Errors
    ///
    /// Returns the error of a server that does not start or restart.
    pub fn run(&self, restart: Restart) -> io::Result<RestartReport> {
        let mut server = restart.start(2 * (self.at_rest + self.busy + self.newcomers) + 500)?;
        let (ready, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let clients = Clients::new(self, server.address(), server.protocol());
        let clients = thread::spawn({
            let (ready, over) = (Arc::clone(&ready), Arc::clone(&over));
            move || clients.run(&ready, &over)
        });
        process::until("each client has an answer", || ready.load(Ordering::Relaxed))?;
        let takes = self.apart * u32::try_from(self.restarts + 1).expect("few restarts");
        let url = server.protocol().url(server.address());
        let tools = url.filter(|_| self.tools).map(|url| Tools::start(&url, takes));
        let mut restarted = Ok(());
        for _ in 0..self.restarts {
            thread::sleep(self.apart);
            restarted = restarted.and_then(|()| server.restart());
        }
        thread::sleep(self.apart);
        let (wrk, h2load) = tools.map(Tools::finish).unwrap_or_default();
        over.store(true, Ordering::Relaxed);
        let counts = clients.join().expect("the thread of the clients does not panic");
        restarted?;
        Ok(RestartReport { restart, restarts: self.restarts, counts, wrk, h2load })
    }
}

impl RestartReport {
    /// The header of the table.
    pub const HEADER: &str = "| server | answers | requests failed | new connections failed | connections closed per restart: at rest | busy | p99 of the longest answers, ms | wrk | h2load |\n|---|--:|--:|--:|--:|--:|--:|---|---|";

    /// The number of requests that got no answer, also on new connections.
    pub fn failed(&self) -> u64 {
        self.counts.failed + self.counts.refused
    }

    /// The number of connections that the server has closed.
    pub fn closed(&self) -> u64 {
        self.counts.closed_at_rest + self.counts.closed_busy
    }

    /// Some of the failures.
    pub fn examples(&self) -> impl Iterator<Item = &str> {
        self.counts.examples.iter().map(String::as_str)
    }
}

/// Formats a row of the table.
impl fmt::Display for RestartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { answers, failed, refused, closed_at_rest, closed_busy, longest, .. } =
            &self.counts;
        let each = |count: &u64| *count as f64 / self.restarts.max(1) as f64;
        write!(f, "| {} | {answers} | {failed} | {refused} ", self.restart.name())?;
        write!(f, "| {:.1} | {:.1} ", each(closed_at_rest), each(closed_busy))?;
        let longest = Latencies::new(longest.clone()).per_mille(990).as_secs_f64() * 1e3;
        write!(f, "| {longest:.1} | {} | {} |", self.wrk, self.h2load)
    }
}
