// cargo run --release --bin docserver
//! A document server: files, finds and gives out documents, and says what happens.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use fsm_runtime::Address;
use fsm_runtime::prelude::*;
use tracing_subscriber::filter::LevelFilter;

mod api;
mod catalog;
mod client;
mod events;
mod feed;
mod front;
mod http;
mod index;
mod page;
mod server;
mod store;

use catalog::{Catalog, look};
use client::Client;
use events::{Events, Watcher};
use feed::Feed;
use front::Front;
use index::{Index, Indexer};
use server::{Alone, Server};
use store::{Directory, Store};

/// A document server: files, finds and gives out documents over HTTP, and says what happens.
///
/// Documents and their index are kept in a directory. A document is there wholly or not at all,
/// whenever the server is killed. SIGTERM and SIGINT let clients finish what they are doing; a second
/// signal ends the server at once. The log goes to standard error.
#[derive(Parser)]
#[command(name = "docserver", version)]
struct Options {
    /// The address to listen on; port 0 lets the system choose one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// The directory of the documents; it is made if there is none
    #[arg(long, value_name = "DIRECTORY", default_value = "docs-data")]
    data: PathBuf,
    /// The largest document, such as 500MB or 8GiB
    #[arg(long, value_name = "SIZE", default_value = "8GiB", value_parser = size)]
    max_size: u64,
    /// The most clients at a time; further ones wait until one leaves
    #[arg(long, value_name = "N", default_value = "10000")]
    max_clients: NonZeroUsize,
    /// The threads that speak with clients; so many may wait for the disk before others wait, too
    #[arg(long, value_name = "N", default_value = "64")]
    threads: NonZeroUsize,
    /// How many of them run at a time; as many as there are processors if not given
    #[arg(long, value_name = "N")]
    cap: Option<NonZeroUsize>,
    /// The threads that look documents up
    #[arg(long, value_name = "N", default_value = "4")]
    catalog_threads: NonZeroUsize,
    /// The threads that file documents
    #[arg(long, value_name = "N", default_value = "4")]
    index_threads: NonZeroUsize,
    /// The documents that may wait to be filed; clients beyond that wait for room
    #[arg(long, value_name = "N", default_value = "256")]
    index_queue: NonZeroUsize,
    /// Makes filing a document slower, such as 50ms, to see what that does to others
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = millis)]
    index_delay: Duration,
    /// Does all work in the pool that speaks with clients, only to compare
    #[arg(long)]
    single_pool: bool,
    /// Prints the pools as a diagram for Mermaid, and ends
    #[arg(long)]
    diagram: bool,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,
}

/// Reads a size such as `500MB` or `8GiB`.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "" | "B" => 1,
        "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" => 1 << 30,
        unit => return Err(format!("`{unit}` is no unit; use B, kB, KiB, MB, MiB, GB or GiB")),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "a size is a number and a unit")?;
    number.checked_mul(unit).ok_or_else(|| "the size is too large".to_owned())
}

/// Reads a time such as `50ms` or `2s`.
fn millis(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| "a time is a number and a unit")?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        unit => Err(format!("`{unit}` is no unit; use ms or s")),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(options.log).init();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("docserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let directory = if options.diagram {
        Arc::new(Directory::unopened(&options.data))
    } else {
        let (store, recovery) = Store::open(&options.data)?;
        if !recovery.is_empty() {
            tracing::warn!("{recovery}");
        }
        Arc::clone(store.directory())
    };
    let feed = Arc::<Feed>::default();
    let delay = options.index_delay;
    let indexer = {
        let (directory, feed) = (Arc::clone(&directory), Arc::clone(&feed));
        move || {
            let store = Store::connect(&directory)?;
            Ok::<_, store::Error>(Indexer { store, feed: Arc::clone(&feed), delay })
        }
    };
    let alone = if options.single_pool && !options.diagram {
        let indexers: Result<Vec<_>, _> = (0..options.threads.get()).map(|_| indexer()).collect();
        Some(Alone::new(indexers?))
    } else {
        None
    };
    let max_size = options.max_size;
    let server = Arc::new(Server { directory: Arc::clone(&directory), max_size, alone });

    let mut spool = Pool::builder::<Front>("spool")
        .listen(options.listen.to_string())
        .threads(options.threads.get())
        .max_connections(options.max_clients.get());
    if let Some(cap) = options.cap {
        spool = spool.max_running(cap.get());
    }
    let index = Pool::builder::<Index>("index")
        .threads(options.index_threads.get())
        .max_jobs(options.index_queue.get());
    let catalog = Pool::try_workers::<Catalog, _, _>("catalog", options.catalog_threads.get(), {
        let directory = Arc::clone(&directory);
        move || {
            let store = Store::connect(&directory)?;
            Ok::<_, store::Error>(move |ask| look(&store, ask))
        }
    });
    let events = Pool::builder::<Events>("admin").max_connections(options.max_clients.get());
    feed.attach(events.handle());
    let pipeline = Pipeline::new()
        .pool(spool.handler(move |_peer| Client::new(&server)))
        .pool(index.try_worker(indexer))
        .pool(catalog)
        .pool(events.handler(move |_peer| Watcher::new(&feed)));
    if options.diagram {
        write!(io::stdout(), "{}", pipeline.mermaid())?;
        return Ok(());
    }
    pipeline.on_ready(|addresses| addresses.iter().for_each(welcome)).run()?;
    Ok(())
}

/// Says how to try it, if anybody reads it.
fn welcome(address: &Address) {
    let _ = writeln!(
        io::stdout(),
        "Open http://{address}/ in a browser, or try:\n\n\
         \tcurl -T README.md http://{address}/docs/readme.md\n\
         \tcurl 'http://{address}/search?q=machine'\n\
         \tcurl http://{address}/docs/readme.md\n"
    );
}
