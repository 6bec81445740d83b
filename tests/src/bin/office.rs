// cargo run --release -p fsm-tests --bin office -- [--seconds 60] [--clients 200] [--size 300KB]
//! Many clients file documents for a minute while others read small ones, in a `docserver` with a
//! fast and with a slow index, with several pools and with one.
//!
//! All four run at the same load, in turns: documents come at a rate that also the slow index can
//! keep up with (see `--rate`), whoever files waits for the answer, and readers ask at their own
//! rate. A document or a GET that is late because the one before it was slow counts from when it was
//! due.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fsm_tests::{Office, Report, Setting};

/// Files and reads documents in a `docserver` with a fast and a slow index, and compares
#[derive(Parser)]
struct Options {
    /// How long each setting is under load, in seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The settings take turns of so many seconds
    #[arg(long, default_value_t = 10)]
    slice: u64,
    /// Clients that file documents
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// The size of a document
    #[arg(long, default_value = "300KB", value_parser = size)]
    size: usize,
    /// How many of a hundred documents are texts
    #[arg(long, default_value_t = 25)]
    texts: u64,
    /// Documents a second that they file together; 0 is as many as the server takes
    #[arg(long, default_value_t = 40.0)]
    rate: f64,
    /// Clients that read small documents
    #[arg(long, default_value_t = 8)]
    readers: usize,
    /// Documents a second that they read together
    #[arg(long, default_value_t = 400.0)]
    gets: f64,
    /// The documents that may wait to be filed
    #[arg(long, default_value_t = 64)]
    queue: usize,
    /// How much longer a slow index takes for a document, in milliseconds
    #[arg(long, default_value_t = 50)]
    delay: u64,
    /// Only the settings that have this in their names, such as `pools,` or `slow`
    #[arg(long, default_value = "")]
    only: String,
}

fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text {
        _ if text.ends_with("KB") => (&text[..text.len() - 2], 1_000),
        _ if text.ends_with("MB") => (&text[..text.len() - 2], 1_000_000),
        _ => (text, 1),
    };
    let number: usize = number.parse().map_err(|_| "a size is such as 300KB")?;
    Ok(number * unit)
}

fn main() -> ExitCode {
    let options = Options::parse();
    let office = Office {
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
    match office.rate {
        Some(rate) => println!(
            "The same load for all: {clients} clients together begin {rate} documents of {size} \
             bytes a second, at random moments,"
        ),
        None => println!(
            "As much load as each takes: {clients} clients each always have a document of {size} \
             bytes on the way;"
        ),
    }
    println!(
        "{texts} % of them texts; {readers} readers ask for {gets} documents of 1 kB a second; {seconds} s \
         for each setting, in turns of {slice} s.\nSlow is {delay} ms more for a document; {queue} \
         documents may wait for the index.\n"
    );
    let only = |setting: &Setting| setting.name.contains(&options.only);
    let reports = office.run(&Setting::ALL.into_iter().filter(only).collect::<Vec<_>>());
    println!("{}", Report::HEADS);
    for report in &reports {
        println!("{report}");
    }
    println!();
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
    let mut code = ExitCode::SUCCESS;
    for report in &reports {
        let name = report.setting.name;
        println!("{name}: index {:?}, catalog {:?}", report.index, report.catalog);
        if report.most > u64::try_from(queue).unwrap_or(u64::MAX) {
            println!("{name}: {} documents were in the index pool at a time", report.most);
            code = ExitCode::FAILURE;
        }
        for failure in report.failures.iter().take(10) {
            println!("{name}: {failure}");
            code = ExitCode::FAILURE;
        }
    }
    if code == ExitCode::SUCCESS {
        println!("Each acknowledged document is there once, with the right digest, and no other.");
    }
    code
}
