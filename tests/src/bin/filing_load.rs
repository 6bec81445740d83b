//! Compares four settings of `docserver` under the same load: a fast and a slow index, with several
//! pools and with one. Many clients file documents while others read small ones.
//!
//! Start it with `cargo run --release -p fsm-tests --bin filing_load`, with options such as `--
//! --seconds 60 --clients 200 --size 300KB`.
//!
//! The settings alternate on the machine. PUTs begin at a rate that the slow index can sustain, too
//! (see `--rate`), and GETs at a rate of their own. The latency of a request counts from the time
//! at which it was due, also if the client sent it late because the one before was slow.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fsm_tests::{FilingLoad, Report, Setting};

/// Compares settings of `docserver` while clients file and read documents
#[derive(Parser)]
struct Options {
    /// The time for which each setting is under load, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The time after which the next setting takes over, in seconds
    #[arg(long, default_value_t = 10)]
    slice: u64,
    /// The number of clients that file documents
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// The size of a document
    #[arg(long, default_value = "300KB", value_parser = size)]
    size: usize,
    /// The percentage of documents that are texts
    #[arg(long, default_value_t = 25)]
    texts: u64,
    /// The number of PUTs a second of all clients together; 0 for as many as the server takes
    #[arg(long, default_value_t = 40.0)]
    rate: f64,
    /// The number of clients that read small documents
    #[arg(long, default_value_t = 8)]
    readers: usize,
    /// The number of GETs a second of all readers together
    #[arg(long, default_value_t = 400.0)]
    gets: f64,
    /// The maximum number of documents that wait to be filed
    #[arg(long, default_value_t = 64)]
    queue: usize,
    /// The additional time of a slow index for each document, in milliseconds
    #[arg(long, default_value_t = 50)]
    delay: u64,
    /// Runs only settings whose names contain this text, such as `pools,` or `slow`
    #[arg(long, default_value = "")]
    only: String,
}

fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text {
        _ if text.ends_with("KB") => (&text[..text.len() - 2], 1_000),
        _ if text.ends_with("MB") => (&text[..text.len() - 2], 1_000_000),
        _ => (text, 1),
    };
    let number: usize = number.parse().map_err(|_| "a size is a number, such as 300KB")?;
    Ok(number * unit)
}

fn main() -> ExitCode {
    let options = Options::parse();
    let load = FilingLoad {
        time: Duration::from_secs(options.seconds),
        slice: Duration::from_secs(options.slice),
        clients: options.clients,
        size: options.size,
        texts: options.texts,
        rate: (options.rate > 0.0).then_some(options.rate),
        readers: options.readers,
        gets: options.gets,
        queue: options.queue,
        delay: Duration::from_millis(options.delay),
    };
    let Options { seconds, slice, clients, size, texts, readers, gets, queue, delay, .. } = options;
    match load.rate {
        Some(rate) => println!(
            "The same load for all: {clients} clients together begin {rate} PUTs of {size} bytes a \
             second, at random times,"
        ),
        None => println!(
            "The maximum load of each: {clients} clients send one PUT of {size} bytes after another;"
        ),
    }
    println!(
        "{texts} % are texts; {readers} readers send {gets} GETs of 1 kB a second; {seconds} s for each \
         setting, in slices of {slice} s.\nA slow index takes {delay} ms more for a document; {queue} \
         documents may wait for it.\n"
    );
    let only = |setting: &Setting| setting.name.contains(&options.only);
    let reports = load.run(&Setting::ALL.into_iter().filter(only).collect::<Vec<_>>());
    println!("{}", Report::HEADER);
    for report in &reports {
        println!("{report}");
    }
    println!();
    compare(&reports);
    if is_clean(&reports, options.queue) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the ratio of a slow index to a fast one.
fn compare(reports: &[Report]) {
    for (what, is_single) in [("several pools", false), ("one pool", true)] {
        let find = |is_slow| {
            reports.iter().find(|report| {
                report.setting.is_single == is_single && report.setting.is_slow == is_slow
            })
        };
        let p99 = |report: &Report| report.gets.per_mille(990).as_secs_f64();
        if let (Some(slow), Some(fast)) = (find(true), find(false)) {
            println!(
                "GET p99, slow to fast, {what}: {:.2} (at {:.1} and {:.1} documents/s)",
                p99(slow) / p99(fast),
                slow.per_second(),
                fast.per_second()
            );
        }
    }
}

/// Prints the counters and findings of each setting; returns whether nothing is wrong.
fn is_clean(reports: &[Report], queue: usize) -> bool {
    let mut is_clean = true;
    for report in reports {
        let name = report.setting.name;
        println!("{name}: index {:?}, catalog {:?}", report.index, report.catalog);
        if report.peak > u64::try_from(queue).unwrap_or(u64::MAX) {
            println!("{name}: {} documents were in the index pool at the same time", report.peak);
            is_clean = false;
        }
        for failure in report.failures.iter().take(10) {
            println!("{name}: {failure}");
            is_clean = false;
        }
    }
    if is_clean {
        println!(
            "The server has each acknowledged document once, with the right digest, and no other."
        );
    }
    is_clean
}
