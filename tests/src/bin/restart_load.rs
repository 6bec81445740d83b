//! Counts what clients lose when the processes of a server follow each other: live upgrades of `kv` and `docserver`
//! beside nginx, `HAProxy` and a server on tokio, under the same load of connections at rest, busy ones and new
//! ones.
//!
//! Start it with `cargo run --release -p fsm-tests --bin restart_load`, with options such as `-- --restarts 20 --only
//! nginx`. With `FSM_KV=/path/to/kv` and `FSM_DOCSERVER` it runs these programs. nginx, `HAProxy`, wrk and h2load are
//! those of the machine.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fsm_tests::{Restart, RestartLoad, RestartReport, serve_with_tokio};

/// Compares what clients lose at a restart
#[derive(Parser)]
struct Options {
    /// The number of connections at rest
    #[arg(long, default_value_t = 500)]
    at_rest: usize,
    /// The number of busy connections
    #[arg(long, default_value_t = 100)]
    busy: usize,
    /// The number of clients that connect for each request
    #[arg(long, default_value_t = 50)]
    newcomers: usize,
    /// The pause of a client before its next request, in milliseconds
    #[arg(long, default_value_t = 20)]
    pause: u64,
    /// The number of restarts
    #[arg(long, default_value_t = 10)]
    restarts: usize,
    /// The time between two restarts, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    apart: u64,
    /// Leaves out wrk and h2load
    #[arg(long)]
    no_tools: bool,
    /// Runs only servers whose names contain this text
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> ExitCode {
    match serve_with_tokio() {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => {
            eprintln!("Error: {error}");
            return ExitCode::FAILURE;
        }
    }
    let options = Options::parse();
    let load = RestartLoad {
        at_rest: options.at_rest,
        busy: options.busy,
        newcomers: options.newcomers,
        pause: Duration::from_millis(options.pause),
        restarts: options.restarts,
        apart: Duration::from_millis(options.apart),
        tools: !options.no_tools,
    };
    let Options { at_rest, busy, newcomers, restarts, .. } = options;
    println!(
        "{restarts} restarts with {at_rest} connections at rest, {busy} busy ones and {newcomers} clients with new \
         ones:\n\n{}",
        RestartReport::HEADER
    );
    let mut examples = Vec::new();
    for restart in Restart::ALL {
        if !restart.name().contains(&options.only) {
            continue;
        }
        match load.run(restart) {
            Ok(report) => {
                println!("{report}");
                examples.extend(report.examples().map(|it| format!("{}: {it}", restart.name())));
            }
            Err(error) => println!("| {} | left out: {error} |", restart.name()),
        }
    }
    println!();
    for example in examples {
        println!("{example}");
    }
    ExitCode::SUCCESS
}
