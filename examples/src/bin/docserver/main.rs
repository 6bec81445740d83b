//! A document server: clients upload, search and download documents over HTTP, and receive an event
//! for each change. It shows a pipeline of five pools: one that speaks HTTP, one whose threads
//! block on the disk, two of plain workers, and one of connections that another pool handed over.
//!
//! Start it with `cargo run --release --bin docserver`, then open <http://127.0.0.1:7070/>, or try:
//!
//! ```sh
//! curl -T README.md http://127.0.0.1:7070/docs/readme.md   # uploads a document
//! curl 'http://127.0.0.1:7070/search?q=machine'            # searches the documents
//! curl http://127.0.0.1:7070/docs/readme.md                # downloads it
//! curl -N http://127.0.0.1:7070/events                     # prints events until Ctrl-C
//! ```
//!
//! With `--worker examples/python/index.py` one pool of workers is of processes that run Python: they read the text
//! of office documents and pages.
//!
//! `cargo run --bin docserver -- --diagram` prints the pools as a Mermaid diagram. Start reading at
//! `front.rs`, the machine of a client, and `index.rs`, the machine of a job.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::Parser;
use fsm_examples::tls::Certificate;
use fsm_examples::{Serving, count, port_or_address, time};
use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder, TlsServer};

mod api;
mod catalog;
mod client;
mod events;
mod extract;
mod feed;
mod front;
mod hot;
mod http;
mod index;
#[cfg_attr(not(unix), allow(dead_code, reason = "there is no live upgrade"))]
mod journal;
mod pace;
mod page;
mod server;
mod settings;
#[cfg(unix)]
mod sharing;
mod store;

use catalog::{Catalog, look_up};
use client::Client;
use events::{Events, Subscriber};
use extract::Extractor;
use feed::Feed;
use front::Front;
use hot::{HotDocuments, HotOptions};
use index::{Index, Indexer};
use server::{Server, SinglePool};
use settings::{Settings, size};
use store::{Directory, Store};

/// A document server: clients upload, search and download documents over HTTP
///
/// It keeps documents and their index in a directory. If the server is killed, each document is
/// either complete or absent afterwards. SIGTERM and SIGINT let clients finish their requests; a
/// second signal ends the server at once. The log goes to standard error.
///
/// With --upgrade a new process takes over; uploads and downloads end in the old one, within the time of
/// --drain-within, and both use the directory until then. No other process can use it.
#[derive(Parser)]
#[command(name = "docserver", version)]
struct Options {
    #[command(flatten)]
    serving: Serving<7070>,
    #[command(flatten)]
    certificate: Certificate,
    /// An address for clients that do not use TLS, as `--listen` takes it, or the port of 127.0.0.1: they are sent
    /// to the first address of `--listen`. It may be given several times
    #[arg(long, value_name = "ADDRESS", value_parser = port_or_address, requires = "tls_cert")]
    redirect_http: Vec<Address>,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    extractor: Extractor,
    /// The directory of the documents; the server creates it if it is missing. It keeps 2 MiB of room
    /// back there, so that documents can be deleted when the disk is full
    #[arg(long, value_name = "DIRECTORY", default_value = "docs-data")]
    data: PathBuf,
    /// The largest document, such as 500MB or 8GiB
    #[arg(long, value_name = "SIZE", default_value = "8GiB", value_parser = size)]
    max_size: u64,
    #[command(flatten)]
    hot: HotOptions,
    /// The threads that serve clients; this many may block on the disk at the same time
    #[arg(long, value_name = "N", default_value = "64", value_parser = count::<{ Pool::MAX_THREADS }>)]
    threads: NonZeroUsize,
    /// The maximum number of these threads that run at the same time; one per processor by default
    #[arg(long, value_name = "N", value_parser = count::<{ Pool::MAX_THREADS }>)]
    cap: Option<NonZeroUsize>,
    /// The threads that look up documents
    #[arg(long, value_name = "N", default_value = "4", value_parser = count::<{ Pool::MAX_THREADS }>)]
    catalog_threads: NonZeroUsize,
    /// The threads that file documents. These wait for the disk most of the time, and as many documents share its syncs
    #[arg(long, value_name = "N", default_value = "16", value_parser = count::<{ Pool::MAX_THREADS }>)]
    index_threads: NonZeroUsize,
    /// The maximum number of documents that wait to be filed; further clients wait for room
    #[arg(long, value_name = "N", default_value = "256", value_parser = count::<{ Pool::MAX_JOBS }>)]
    index_queue: NonZeroUsize,
    /// Delays the filing of each document, such as 50ms, to show the effect on other clients
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    index_delay: Duration,
    /// Does the work of all pools in the pool that serves clients, for comparison; not with --upgrade
    #[arg(long)]
    single_pool: bool,
    /// Prints the pools as a Mermaid diagram, and exits
    #[arg(long)]
    diagram: bool,
}

impl Options {
    /// The TCP port of the first address that has one.
    fn first_port(&self) -> Option<u16> {
        self.serving.addresses().find_map(|address| match address {
            Address::Tcp(address) => Some(address.port()),
            _ => None,
        })
    }

    fn is_upgradable(&self) -> bool {
        #[cfg(unix)]
        return self.serving.upgrade.is_some();
        #[cfg(not(unix))]
        return false;
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics if nobody reads.
            let _ = writeln!(io::stderr(), "docserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.is_upgradable() && options.single_pool {
        return Err("`--upgrade` cannot be used with `--single-pool`".into());
    }
    let _log = options.serving.start_log()?;
    let directory = directory(options)?;
    let feed = Arc::<Feed>::default();
    #[cfg(unix)]
    let sharing = sharing::Sharing::new(&directory, &feed);
    let delay = options.index_delay;
    let indexer = {
        let (directory, feed) = (Arc::clone(&directory), Arc::clone(&feed));
        move || {
            let store = Store::connect(&directory)?;
            Ok::<_, store::Error>(Indexer { store, feed: Arc::clone(&feed), delay })
        }
    };
    let single_pool = single_pool(options, &indexer)?;
    let tls = options.certificate.server(&["http/1.1"])?;
    let https_port = tls.as_ref().and_then(|_| options.first_port());
    let hot = Arc::new(HotDocuments::new(&options.hot, &directory));
    let server = Server {
        directory: Arc::clone(&directory),
        hot: Arc::clone(&hot),
        max_size: options.max_size,
        https_port,
        single_pool,
    };
    let server = Arc::new(server);

    let index = Pool::builder::<Index>("index")
        .threads(options.index_threads.get())
        .max_jobs(options.index_queue.get());
    let catalog = catalog(options, directory);
    let events = Pool::builder::<Events>("admin")
        .settings(options.settings.clone())
        .max_connections(options.serving.max_connections.get())
        .drain_within(options.serving.drain_within);
    feed.attach(events.handle());
    let front = limits(options, Pool::builder::<Front>("spool"));
    let (front, events) = with_handlers(options, front, events, tls, server, feed);
    let pipeline =
        Pipeline::new().pool(front).pool(index.try_worker(indexer)).pool(options.extractor.pool());
    let pipeline = pipeline.pool(catalog).pool(events);
    #[cfg(unix)]
    let pipeline = options.serving.hand_over(pipeline, sharing);
    if options.diagram {
        write!(io::stdout(), "{}", pipeline.mermaid())?;
        return Ok(());
    }
    let scheme = if https_port.is_some() { "https" } else { "http" };
    run(options, pipeline, scheme, hot)
}

/// The work of all pools in the threads that serve clients, if the options ask for that.
fn single_pool(
    options: &Options,
    indexer: &impl Fn() -> Result<Indexer, store::Error>,
) -> Result<Option<SinglePool>, store::Error> {
    if !options.single_pool || options.diagram {
        return Ok(None);
    }
    let indexers: Result<Vec<_>, _> = (0..options.threads.get()).map(|_| indexer()).collect();
    Ok(Some(SinglePool::new(indexers?)))
}

/// The pools of connections, which all use TLS if any does.
fn with_handlers(
    options: &Options,
    front: Builder<Front>,
    events: Builder<Events>,
    tls: Option<TlsServer>,
    server: Arc<Server>,
    feed: Arc<Feed>,
) -> (Pool, Pool) {
    let client = move |_peer| Client::new(&server);
    let subscriber = move |_peer| Subscriber::new(&feed);
    // Where no client uses TLS, none has room for it.
    let Some(tls) = tls else {
        return (options.serving.pool(front).handler(client), events.handler(subscriber));
    };
    let front = options.serving.pool(front.tls(tls.clone()));
    let redirects = options.redirect_http.iter();
    let front = redirects.fold(front, |front, address| front.listen_plain(address.to_string()));
    (front.handler(client), events.tls(tls).handler(subscriber))
}

/// Runs the pools, and says where they listen.
fn run(
    options: &Options,
    pipeline: Pipeline,
    scheme: &'static str,
    hot: Arc<HotDocuments>,
) -> Result<(), Box<dyn Error>> {
    // The addresses that only redirect come last.
    let offered = options.serving.addresses().count();
    let pipeline = pipeline.on_ready(move |addresses| {
        let addresses: Vec<_> = addresses.iter().take(offered).cloned().collect();
        // Standard output may be a pipe that is full and that nobody reads. That blocks this thread alone.
        let _ = thread::Builder::new()
            .name("welcome".to_owned())
            .spawn(move || addresses.iter().for_each(|address| welcome(scheme, address)));
    });
    options.serving.pipeline_with(pipeline, |console| hot.counted(console)).run()?;
    Ok(())
}

/// The pool that looks documents up.
fn catalog(options: &Options, directory: Arc<Directory>) -> Pool {
    Pool::try_workers::<Catalog, _, _>("catalog", options.catalog_threads.get(), move || {
        let store = Store::connect(&directory)?;
        Ok::<_, store::Error>(move |lookup| look_up(&store, lookup))
    })
}

/// Opens the directory of the documents, after the recovery from a crash. A server that may have to share it with an old
/// process opens it when it has talked to that one: with its first connection to the store.
fn directory(options: &Options) -> Result<Arc<Directory>, store::Error> {
    if options.diagram || options.is_upgradable() {
        return Ok(Arc::new(Directory::new(&options.data)));
    }
    let (store, recovery) = Store::open(&options.data)?;
    recovery.report();
    Ok(Arc::clone(store.directory()))
}

/// Sets the threads and settings of the front pool.
fn limits(options: &Options, pool: Builder<Front>) -> Builder<Front> {
    let pool = pool.settings(options.settings.clone()).threads(options.threads.get());
    match options.cap {
        Some(cap) => pool.max_running(cap.get()),
        None => pool,
    }
}

/// Prints commands that try the server; ignores a closed standard output.
fn welcome(scheme: &str, address: &Address) {
    let _ = writeln!(
        io::stdout(),
        "Open {scheme}://{address}/ in a browser, or try:\n\n\
         \tcurl -T README.md {scheme}://{address}/docs/readme.md\n\
         \tcurl '{scheme}://{address}/search?q=machine'\n\
         \tcurl {scheme}://{address}/docs/readme.md\n"
    );
}
