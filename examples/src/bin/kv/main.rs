//! A Redis server: strings, lists, hashes and sets in memory, for any Redis client. It shows a
//! frame decoder, a machine with limits on time and size, and a store that all connections share.
//!
//! Start it with `cargo run --release --bin kv`, then try:
//!
//! ```sh
//! redis-cli -p 6380 set greeting hello
//! redis-cli -p 6380 get greeting
//! redis-benchmark -p 6380 -t set,get -n 100000 -q
//! ```
//!
//! Start reading at `protocol.rs`, the machine of a connection.

#![forbid(unsafe_code)]

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use fsm_examples::log::Stderr;
use fsm_runtime::prelude::*;

mod collections;
mod command;
mod keys;
mod protocol;
mod reply;
mod request;
mod server;
mod store;
mod strings;

use protocol::{Client, Connection, Server};
use store::Store;

/// A Redis server: strings, lists, hashes and sets in memory, for any Redis client
///
/// It speaks RESP2 and writes nothing to disk. It disconnects a client that sends nothing for five
/// minutes. SIGTERM and SIGINT let clients finish their commands; a second signal ends the server
/// at once. The log goes to standard error.
#[derive(Parser)]
#[command(version, after_help = "Try: redis-cli -p 6380 set greeting hello")]
struct Options {
    /// The TCP port to listen on; 0 lets the system choose one
    #[arg(long, default_value_t = 6380)]
    port: u16,
    /// The address to listen on; 0.0.0.0 or :: listens on all addresses of this machine
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// The path of a Unix socket to listen on as well
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// The maximum number of clients; others wait in the backlog until one leaves
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    max_clients: usize,
    /// The memory for keys and values, such as 64mb or 2gb; beyond it the server refuses writes
    /// with -OOM. 0 sets no limit
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    maxmemory: usize,
}

/// Parses a size as the configuration of Redis does: `k` is 1,000 bytes, and `kb` 1,024.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1_000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        unit => return Err(format!("`{unit}` is not a unit; use b, k, kb, m, mb, g or gb")),
    };
    let number: usize =
        text[..digits].parse().map_err(|_| "a size is a number and a unit, such as `64mb`")?;
    number.checked_mul(unit).ok_or_else(|| "the size is too large".to_owned())
}

fn main() -> Result<(), PoolError> {
    let options = Options::parse();
    let (log, _flush) = Stderr::start()
        .map_err(|error| PoolError::Io { what: "start the log".to_owned(), error })?;
    tracing_subscriber::fmt().with_writer(log).init();
    let server = Arc::new(Server::new(Store::new(options.maxmemory)));
    let mut pool = Pool::builder::<Connection>("kv")
        .listen(std::net::SocketAddr::new(options.bind, options.port).to_string())
        .max_connections(options.max_clients);
    if let Some(path) = options.unix {
        pool = pool.listen(format!("unix:{}", path.display()));
    }
    pool.handler(move |_peer| Client::new(&server)).run()
}
