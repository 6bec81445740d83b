//! Measures how many documents a second `docserver` files durably, beside two parts of that work. In one, threads
//! write a file, sync it, move it into place and sync the directory. In the other, threads write a row each into a
//! `SQLite` index over one connection, a transaction for each row (`synchronous = FULL`). All use the directory for
//! temporary files, which `TMPDIR` changes.
//!
//! Start it with `cargo run --release -p fsm-tests --bin durable_filing`, with options such as `-- --clients 64
//! --size 100000`, and with options of `docserver` behind `--server`. All run in turn, in rounds.

#![expect(clippy::cast_precision_loss, reason = "rates are shown rounded")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use fsm_tests::{Connection, Docserver, DocumentSeries, TempDir, put};
use rusqlite::params;

/// Measures how many documents a second become durable
#[derive(Parser)]
struct Options {
    /// The clients that file one document after another, and the threads of the plain loop; it may be given several
    /// times
    #[arg(long, default_values_t = [1, 8, 32])]
    clients: Vec<u64>,
    /// The bytes of a document
    #[arg(long, default_value_t = 10_000)]
    size: usize,
    /// The time of a round, in seconds
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Options of `docserver`, the last ones of the command line
    #[arg(long, num_args = 1.., allow_hyphen_values = true)]
    server: Vec<String>,
    /// The rounds for each number of clients; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

fn main() {
    let options = Options::parse();
    let documents = DocumentSeries::new(options.size, false);
    let arguments: Vec<&str> = options.server.iter().map(String::as_str).collect();
    let docs = Docserver::new(&arguments);
    let address = docs.server().address();
    let plain = TempDir::new("plain");
    let time = Duration::from_secs(options.seconds);
    let index = Index::new(plain.path()).expect("an index can be made");
    println!(
        "{:>7} {:>12} {:>12} {:>6} {:>12} {:>6}",
        "clients", "docserver/s", "plain/s", "ratio", "sqlite/s", "ratio"
    );
    for clients in options.clients {
        let (mut ours, mut theirs, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            ours.push(rate(clients, time, |client| {
                let mut connection = Connection::new(address);
                let documents = &documents;
                move |number| {
                    let (bytes, _) = documents.document(number);
                    let answer = connection.ask(put(&format!("{client}"), &bytes));
                    assert!(matches!(answer.status, 200 | 201), "{}", answer.status);
                }
            }));
            theirs.push(rate(clients, time, |client| {
                let (documents, root) = (&documents, plain.path());
                move |number| {
                    let (bytes, _) = documents.document(number);
                    file(root, client, &bytes).expect("a file can be written");
                }
            }));
            rows.push(rate(clients, time, |client| {
                let index = &index;
                move |number| index.enter(client, number).expect("a row can be written")
            }));
        }
        let (ours, theirs, rows) = (median(ours), median(theirs), median(rows));
        println!(
            "{clients:>7} {ours:>12.0} {theirs:>12.0} {:>6.2} {rows:>12.0} {:>6.2}",
            ours / theirs,
            ours / rows
        );
    }
    docs.stop();
}

/// The documents a second that so many clients file.
fn rate<F: FnMut(u64) + Send>(
    clients: u64,
    time: Duration,
    client: impl Fn(u64) -> F + Sync,
) -> f64 {
    let start = Instant::now();
    let filed: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|number| {
                let client = &client;
                scope.spawn(move || {
                    let (mut file, mut filed) = (client(number), 0);
                    while start.elapsed() < time {
                        file(filed);
                        filed += 1;
                    }
                    filed
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("a client ends")).sum()
    });
    filed as f64 / start.elapsed().as_secs_f64()
}

/// Writes a file durably, in place of the one before.
fn file(root: &Path, client: u64, bytes: &[u8]) -> io::Result<()> {
    let (from, to) = (root.join(format!("{client}.tmp")), root.join(client.to_string()));
    let mut file = File::create(&from)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(from, to)?;
    File::open(root)?.sync_all()
}

/// An index as that of `docserver`, without the words.
struct Index(Mutex<rusqlite::Connection>);

impl Index {
    fn new(root: &Path) -> rusqlite::Result<Self> {
        let sql = rusqlite::Connection::open(root.join("index.sqlite"))?;
        sql.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        sql.execute_batch(
            "PRAGMA synchronous = FULL;
            PRAGMA wal_autocheckpoint = 256;
            CREATE TABLE documents (name INTEGER PRIMARY KEY, number INTEGER, digest BLOB);",
        )?;
        Ok(Self(Mutex::new(sql)))
    }

    /// Writes a row durably, in place of the one before.
    fn enter(&self, client: u64, number: u64) -> rusqlite::Result<()> {
        let sql = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = "INSERT OR REPLACE INTO documents VALUES (?1, ?2, zeroblob(32))";
        sql.prepare_cached(row)?.execute(params![client, number])?;
        Ok(())
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
