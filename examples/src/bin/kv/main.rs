//! A Redis server: strings, lists, hashes, sets and sorted sets in memory, for any Redis client. It shows a
//! frame decoder, a machine with limits on time and size, a store that all connections share, and messages
//! from connection to connection, which a client hears beside its commands.
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

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use fsm_examples::tls::Certificate;
use fsm_examples::{Serving, port_or_address};
use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Pipeline};

mod clients;
mod collections;
mod command;
mod config;
mod describe;
mod event;
mod expiry;
mod glob;
mod keys;
mod lists;
mod protocol;
mod pubsub;
mod reply;
mod request;
mod score;
mod server;
mod settings;
mod shared;
mod sorted_set;
mod store;
mod strings;
mod subscriber;
mod transaction;
mod upgrade;
mod waits;
mod watch;
mod words;
mod zrange;
mod zsets;

use protocol::{Client, Connection};
use settings::Settings;
use shared::Server;
use store::Store;
use subscriber::Limits;

/// A Redis server: strings, lists, hashes, sets and sorted sets in memory, for any Redis client
///
/// It speaks RESP2 and RESP3 and writes nothing to disk. SIGTERM and SIGINT let clients finish their commands; a second signal ends the server
/// at once. The log goes to standard error.
///
/// With `--upgrade` a new process takes over keys, settings and clients, also those in a transaction or in a wait; while
/// a client is connected that uses TLS, it cannot.
///
/// It has transactions (MULTI, WATCH), channels (SUBSCRIBE, PUBLISH) and queues (BLPOP, BLMOVE); `redis-cli -p 6380 command list` names all commands.
#[derive(Parser)]
#[command(name = "kv", version, after_help = "Try: redis-cli -p 6380 set greeting hello")]
struct Options {
    #[command(flatten)]
    serving: Serving<6380>,
    #[command(flatten)]
    certificate: Certificate,
    /// An address for clients that use TLS, as `--listen` takes it, or the port of 127.0.0.1. It may be given
    /// several times
    #[arg(long, value_name = "ADDRESS", value_parser = port_or_address, requires = "tls_cert")]
    tls_port: Vec<Address>,
    /// The memory for keys and values, such as 64mb or 2gb; beyond it the server refuses writes
    /// with -OOM. 0 sets no limit. `CONFIG SET maxmemory` changes it
    #[arg(long, value_name = "SIZE", default_value = "0", value_parser = config::size)]
    maxmemory: usize,
    /// The longest argument and string, such as 64mb, at most 1gb. No memory is taken for an
    /// announced argument before it arrives. `--maxmemory` does not count commands that are on
    /// their way; each has at most 1 GiB. `CONFIG SET proto-max-bulk-len` changes it
    #[arg(long, value_name = "SIZE", default_value = "512mb", value_parser = config::parse_max_bulk)]
    proto_max_bulk_len: i64,
    /// The seconds after which the server disconnects a client that sends nothing, at most 2147483647; 0
    /// is never. `CONFIG SET timeout` changes it for each client from its next command on
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = config::parse_timeout)]
    timeout: u32,
    /// The limits of the messages that wait for a client which reads them too slowly: above the first
    /// size it is disconnected at once, and above the second one after these seconds; 0 is no limit.
    /// `CONFIG SET client-output-buffer-limit` changes them
    #[arg(
        long,
        value_name = "LIMITS",
        default_value = "pubsub 32mb 8mb 60",
        value_parser = Limits::parse,
    )]
    client_output_buffer_limit: Limits,
    /// At the limit of connections, or without a free descriptor, disconnect the client that has sent no
    /// command for longest, so that a new one need not wait. Subscribers and clients that wait in BLPOP and
    /// the like stay
    #[arg(long)]
    shed_at_rest: bool,
}

/// The messages that wait for a subscriber, whatever their size. They take 16 bytes each, beside the texts,
/// which all subscribers share.
const MAILBOX: usize = 1 << 16;

fn main() -> ExitCode {
    let options = Options::parse();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics if nobody reads.
            let _ = writeln!(io::stderr(), "Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let _log = options.serving.start_log()?;
    let tls = options.certificate.server(&[])?;
    if tls.is_some() && options.tls_port.is_empty() {
        return Err(
            "`--tls-cert` needs `--tls-port`, the address of the clients that use TLS".into()
        );
    }
    request::set_max_bulk(options.proto_max_bulk_len);
    let mut store = Store::new(options.maxmemory);
    store.max_clients = options.serving.max_connections.get();
    let settings = Settings::default();
    settings.set_timeout(options.timeout);
    store.settings = settings.clone();
    store.channels.limits = options.client_output_buffer_limit;
    let server = Arc::new(Server::new(store));
    let pool = Pool::builder::<Connection>("kv").settings(settings).mailbox(MAILBOX);
    let pool = pool.turn_away("-ERR max number of clients reached\r\n");
    let pool = if options.shed_at_rest { pool.shed_at_rest() } else { pool };
    #[cfg(unix)]
    let keys = upgrade::Keys(Arc::clone(&server));
    let client = move |peer| Client::at(&server, peer);
    // Where no client uses TLS, none has room for it.
    let pool = match tls {
        None => options.serving.pool(pool).handler(client),
        Some(tls) => {
            let pool = options.serving.plain_pool(pool.tls(tls));
            let ports = options.tls_port.iter();
            let pool = ports.fold(pool, |pool, address| pool.listen(address.to_string()));
            pool.handler(client)
        }
    };
    let pipeline = Pipeline::new().pool(pool);
    #[cfg(unix)]
    let pipeline = options.serving.hand_over(pipeline, keys);
    options.serving.pipeline(pipeline).run()?;
    Ok(())
}
