//! A Redis server: strings, lists, hashes, sets and sorted sets in memory, for any Redis client. It shows a
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

use std::sync::Arc;

use clap::Parser;
use fsm_examples::Serving;
use fsm_runtime::prelude::*;

mod collections;
mod command;
mod describe;
mod expiry;
mod glob;
mod keys;
mod protocol;
mod reply;
mod request;
mod score;
mod server;
mod sorted_set;
mod store;
mod strings;
mod transaction;
mod watch;
mod words;
mod zrange;
mod zsets;

use protocol::{Client, Connection, Server};
use store::Store;

/// A Redis server: strings, lists, hashes, sets and sorted sets in memory, for any Redis client
///
/// It speaks RESP2 and RESP3 and writes nothing to disk. It disconnects a client that sends nothing for five
/// minutes. SIGTERM and SIGINT let clients finish their commands; a second signal ends the server
/// at once. The log goes to standard error.
#[derive(Parser)]
#[command(name = "kv", version, after_help = "Try: redis-cli -p 6380 set greeting hello")]
struct Options {
    #[command(flatten)]
    serving: Serving<6380>,
    /// The memory for keys and values, such as 64mb or 2gb; beyond it the server refuses writes
    /// with -OOM. 0 sets no limit
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = size)]
    maxmemory: usize,
    /// The longest argument and string, such as 64mb, at most 1gb. No memory is taken for an
    /// announced argument before it arrives. `--maxmemory` does not count commands that are on
    /// their way; each has at most 1 GiB
    #[arg(long, value_name = "SIZE", default_value = "512mb", value_parser = max_bulk)]
    proto_max_bulk_len: i64,
}

/// Parses the longest argument, which Redis does not let be below 1 MiB, either.
fn max_bulk(text: &str) -> Result<i64, String> {
    let max = i64::try_from(size(text)?).unwrap_or(i64::MAX);
    let valid = (1 << 20..=1 << 30).contains(&max);
    if valid { Ok(max) } else { Err("the size is from 1mb to 1gb".to_owned()) }
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
    let _log = options.serving.start_log()?;
    request::set_max_bulk(options.proto_max_bulk_len);
    let server = Arc::new(Server::new(Store::new(options.maxmemory)));
    let pool = options.serving.pool(Pool::builder::<Connection>("kv"));
    pool.handler(move |_peer| Client::new(&server)).run()
}
