//! A server of pages, metrics and text about the pools of a pipeline. It is a machine and a pool like theirs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::server::CONSOLE;
use crate::server::handover::Handover;
use crate::server::observer::Observer;
use crate::server::thread::OnThreadEnd;
use crate::{Address, Pipeline, Pool, PoolError, Running};

mod actions;
mod counter;
mod guard;
mod json;
mod machine;
mod metrics;
mod query;
mod request;
mod response;
mod routes;
pub(super) mod rules;
mod shared;
mod text;
mod top;

use counter::Counter;
use machine::{Client, Http};
use shared::ConsoleShared;

/// The most connections of a console.
const CONNECTIONS: usize = 32;

/// The settings of a console: a page, metrics and text that say where each connection of a
/// [`Pipeline`](crate::Pipeline) is, and why it waits.
///
/// | path | answer |
/// |---|---|
/// | `/` | a page, which asks for the others once a second |
/// | `/connections?pool=&state=&older=5s&peer=&label=&limit=100` | the oldest connections and jobs, as JSON, or as text with `Accept: text/plain`; each condition may be left out |
/// | `/connections/KEY` | one of them, likewise, with its last transitions if its pool has a [`history`](crate::Builder::history); 410 when it has ended. `KEY` is that of logs with `-` in place of `#` |
/// | `/pools`, `/threads`, `/spec` | pools with the counts of their states, threads with the handlers that they run, graphs, as JSON |
/// | `/metrics` | counters and gauges for Prometheus |
/// | `/rules` | alert rules for Prometheus, as [`Pipeline::alert_rules`](crate::Pipeline::alert_rules) returns them |
/// | `/top` | a frame of text each second, for `curl -sN` |
/// | `POST /connections/KEY/end` | ends a connection, if a [`token`](Console::token) is set |
/// | `POST /pools/NAME/drain` | drains a pool, if a token is set |
///
/// Everybody who can connect to it can read it, so it listens on 127.0.0.1 by default, and warns in the log if it
/// listens elsewhere. It has at most 32 connections, bounded answers, and threads of its own, so that its clients
/// slow no pool down. A pool pays for a snapshot only while one is taken: see
/// [`Handle::snapshot`](crate::Handle::snapshot).
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use fsm_runtime::prelude::*;
/// use fsm_runtime::Console;
///
/// #[state_machine(start = Talk, eof => Gone)]
/// enum Echo {
///     #[read(some, max = 16KiB, idle = 60s => Gone)]
///     #[to(Talk)]
///     #[rest]
///     Talk,
///     #[end]
///     Gone,
/// }
///
/// struct Client;
///
/// impl echo::Handler for Client {
///     fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
///         cx.write(bytes);
///         echo::AfterTalk::Talk
///     }
/// }
///
/// let echo = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").handler(|_peer| Client);
/// let running = echo.console(Console::new("127.0.0.1:0").token("secret")).start()?;
///
/// let mut curl = TcpStream::connect(running.console().unwrap().to_string())?;
/// curl.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// curl.read_to_string(&mut answer)?;
/// assert!(answer.contains("fsm_accepted_total{pool=\"echo\"} 0\n"));
/// # running.drain()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a console does nothing until a pipeline has it"]
pub struct Console {
    address: String,
    token: Option<String>,
    hosts: Vec<String>,
    counters: Vec<Counter>,
}

impl Console {
    /// A console that listens on this address, such as `127.0.0.1:9180` or `unix:/run/console.sock`, as
    /// [`Builder::listen`](crate::Builder::listen) takes it. It can only be read.
    pub fn new(address: impl Into<String>) -> Self {
        Self { address: address.into(), token: None, hosts: Vec::new(), counters: Vec::new() }
    }

    /// Lets those who know the token end connections and drain pools. A request has it in the field
    /// `X-Console-Token`, or as `Authorization: Bearer`. An empty token is none.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into()).filter(|token| !token.is_empty());
        self
    }

    /// Answers also to requests whose `Host` is this name. Without it the host must be an IP address or
    /// `localhost`, because a page of somebody else could have its own name lead to this address.
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Adds a counter of the program's own to `/metrics`, such as `cache_hits_total`. Each scrape calls the function,
    /// on a thread of the console.
    ///
    /// # Panics
    ///
    /// When `name` is not of letters, digits and `_`, or `help` is not one line without a backslash.
    pub fn counter(
        mut self,
        name: &'static str,
        help: &'static str,
        value: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.counters.push(Counter::new(name, help, value));
        self
    }

    /// Starts the console for these pools.
    pub(super) fn start(
        self,
        observer: Observer,
        handover: &mut Handover,
    ) -> Result<Running, PoolError> {
        let Self { address, token, hosts, counters } = self;
        let shared = Arc::new(ConsoleShared::new(
            observer,
            token,
            hosts,
            counters,
            handover.progress.clone(),
        ));
        let pool = Pool::builder::<Http>(CONSOLE)
            .listen(address)
            .threads(2)
            .max_running(2)
            .max_connections(CONNECTIONS)
            .output_mark(64 * 1024)
            .send_timeout(Duration::from_secs(10))
            .linger(Duration::from_secs(1))
            .watchdog(false)
            .handler(move |_peer| Client::new(Arc::clone(&shared)));
        let ignored: OnThreadEnd = Arc::new(|| {});
        let running =
            Pipeline::new().pool(pool).launch_with(handover, &ignored, |running, _| Ok(running))?;
        for address in running.addresses() {
            if matches!(address, Address::Tcp(address) if !address.ip().is_loopback()) {
                crate::log::warn!(%address, "the console can be read from other machines");
            }
        }
        Ok(running)
    }
}

/// On `127.0.0.1:9180`.
impl Default for Console {
    fn default() -> Self {
        Self::new("127.0.0.1:9180")
    }
}

impl From<&str> for Console {
    fn from(address: &str) -> Self {
        Self::new(address)
    }
}

impl From<String> for Console {
    fn from(address: String) -> Self {
        Self::new(address)
    }
}

/// Leaves the token out.
impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("address", &self.address).finish_non_exhaustive()
    }
}
