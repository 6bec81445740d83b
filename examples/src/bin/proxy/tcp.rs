//! `proxy tcp`: passes connections on to one of several targets.
//!
//! ```sh
//! cargo run --release --bin docserver &
//! cargo run --release --bin proxy -- tcp --to 127.0.0.1:7070 --to 127.0.0.1:7071
//! curl http://127.0.0.1:7010/docs/
//! ```
//!
//! A client is joined to the next target. If that refuses, or does not answer the attempt in time, the machine goes
//! back to `Dial` with the target after it, and the client has not heard anything. The `relay` state does the rest:
//! it passes bytes and ends of streams on, and holds a fast side up while a slow one has no room.
//!
//! With `--accept-proxy` each connection must begin with a PROXY header. Then nobody but the proxies in front may be
//! able to connect, because a header is believed.

mod client;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use clap::{Args, ValueEnum};
use fsm_examples::tls::{Certificate, Trust};
use fsm_examples::{Serving, tls};
use fsm_runtime::prelude::*;
use fsm_runtime::{Address, proxy};

use crate::targets::Targets;
use crate::times::Times;
use client::Client;

/// A client and its target.
#[state_machine(start = Hello, settings = Times)]
pub(crate) enum Forward {
    /// Chooses the way: with or without a header.
    #[run]
    #[to(Starting | Header | Dial | Gone)]
    Hello,
    /// A client came before the pool has told its address, which a header needs.
    #[sleep(10ms)]
    #[to(Hello)]
    Starting,
    /// The proxy in front announces its client.
    #[read(
        frame = proxy::Header,
        within = settings.connect_timeout <= 1min => Gone, eof => Gone, refused => NoHeader,
    )]
    #[to(Dial | Gone)]
    #[rest]
    Header,
    #[connect(within = settings.connect_timeout <= 1min => Late, refused => Refused)]
    #[to(Tunnel)]
    Dial,
    /// The target did not answer in time.
    #[run]
    #[to(Again)]
    Late,
    #[run]
    #[to(Again)]
    Refused {
        #[error]
        why: std::io::Error,
    },
    /// A pause before the next target. Without it the macro would find a cycle that neither waits nor reads.
    #[sleep(1ms)]
    #[to(Dial | Gone)]
    Again,
    #[relay(
        max = 64KiB,
        idle = settings.idle <= 1d => Quiet,
        eof = settings.half_closed <= 1d => HalfClosed,
        gone => Broken,
    )]
    #[to(Gone)]
    Tunnel,
    /// No byte has moved for too long.
    #[run]
    #[to(Gone)]
    Quiet,
    /// No byte has moved for too long after one side had ended its stream.
    #[run]
    #[to(Gone)]
    HalfClosed,
    /// The target has broken the connection.
    #[run]
    #[to(Gone)]
    Broken,
    #[run]
    #[to(Gone)]
    NoHeader {
        #[error]
        why: proxy::Error,
    },
    #[end]
    Gone,
}

/// Passes connections on to one of several targets
///
/// Targets are taken in turn. One that refuses a connection, or breaks it before a byte was sent either way, is left
/// alone for a second, and for twice as long after each further failure, up to a minute. A client whose target
/// refuses gets the next one and notices nothing. The log has a line for each connection that has ended.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    serving: Serving<7010>,
    #[command(flatten)]
    certificate: Certificate,
    #[command(flatten)]
    trust: Trust,
    /// A target: `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT`, `unix:PATH`, or one of them after `tls:`. It may be
    /// given several times
    #[arg(long, value_name = "TARGET", required = true)]
    to: Vec<Target>,
    #[command(flatten)]
    times: Times,
    /// Expects a PROXY header, of version 1 or 2, at the beginning of each connection, and believes it:
    /// none but proxies may be able to connect
    #[arg(long)]
    accept_proxy: bool,
    /// Announces the client to the target with a PROXY header. It names the address in the header of
    /// --accept-proxy, and otherwise the first --listen, as the one that the client connected to
    #[arg(long, value_name = "VERSION")]
    send_proxy: Option<SendProxy>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SendProxy {
    V1,
    V2,
}

/// The data that all connections share.
pub(crate) struct Forwarder {
    targets: Targets,
    accept_proxy: bool,
    send_proxy: Option<SendProxy>,
    /// The address that clients connect to, once the pool has told it; `None` for a Unix socket.
    listens: OnceLock<Option<SocketAddr>>,
}

impl Forwarder {
    /// Whether a client can be announced.
    fn is_ready(&self) -> bool {
        self.send_proxy.is_none() || self.listens.get().is_some()
    }

    /// The header that announces a client.
    fn header(&self, version: SendProxy, client: Ends) -> proxy::Origin<'static> {
        let (make, version): (fn(_, _) -> _, _) = match version {
            SendProxy::V1 => (proxy::Header::v1, proxy::Version::V1),
            SendProxy::V2 => (proxy::Header::v2, proxy::Version::V2),
        };
        let listens = client.destination.or_else(|| self.listens.get().copied().flatten());
        match client.source.zip(listens) {
            Some((source, destination)) => {
                let (source, destination) = (plain(source), plain(destination));
                make(source, of_family(destination, source))
            }
            None => proxy::Header::unknown(version),
        }
    }
}

/// The two ends of a client's connection, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    source: Option<SocketAddr>,
    destination: Option<SocketAddr>,
}

/// An IPv4 address that an IPv6 socket shows as `::ffff:..` is an IPv4 address.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// A header has addresses of one family; a socket on `[::]` has clients of both.
fn of_family(address: SocketAddr, other: SocketAddr) -> SocketAddr {
    let any = match (address, other) {
        (SocketAddr::V6(_), SocketAddr::V4(_)) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        (SocketAddr::V4(_), SocketAddr::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return address,
    };
    SocketAddr::new(any, address.port())
}

pub(crate) fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let Options { serving, certificate, trust, to, times, accept_proxy, send_proxy } = options;
    let _log = serving.start_log()?;
    let server = certificate.server(&[])?;
    if server.is_some() && accept_proxy {
        return Err("a PROXY header comes before TLS, which `--tls-cert` begins at once".into());
    }
    let client = trust.client_of(&to)?;
    let targets = Targets::new(to);
    let shared =
        Arc::new(Forwarder { targets, accept_proxy, send_proxy, listens: OnceLock::new() });
    let listening = Arc::clone(&shared);
    let builder = Pool::builder::<Forward>("tcp").settings(times);
    let make = move |peer| Client::new(&shared, peer);
    let pool = tls::pool(&serving, builder, server, client, make);
    let ready = Pipeline::new().pool(pool).on_ready(move |addresses| {
        let address = match addresses.first() {
            Some(Address::Tcp(address)) => Some(*address),
            _ => None,
        };
        // It is called once.
        let _ = listening.listens.set(address);
    });
    Ok(serving.pipeline(ready).run()?)
}
