//! Live upgrades of `kv` under load: a thousand clients of three kinds and `redis-benchmark`, each of which checks
//! every answer, while twenty processes follow each other. First the same load runs without upgrades.
//!
//! Start it with `cargo run --release -p fsm-tests --bin upgrade_load`, with options such as `-- --upgrades 3
//! --keys 1000000`. It ends with an error if a client has noticed anything. With `FSM_KV=/path/to/kv` it runs that
//! program.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fsm_tests::{UpgradeLoad, redis_py};

/// Upgrades `kv` under load
#[derive(Parser)]
struct Options {
    /// The number of raw connections that count
    #[arg(long, default_value_t = 930)]
    counters: usize,
    /// The number of `redis-cli` processes
    #[arg(long, default_value_t = 50)]
    cli: usize,
    /// The number of threads of redis-py, which is installed with pip
    #[arg(long, default_value_t = 16)]
    python: usize,
    /// The connections of `redis-benchmark -P 1`, and of `redis-benchmark -P 16`
    #[arg(long, default_value_t = 10)]
    benchmark: usize,
    /// The requests of a run of `redis-benchmark`, a multiple of 16
    #[arg(long, default_value_t = 160_000)]
    requests: usize,
    /// The pause of a client before its next command, in milliseconds
    #[arg(long, default_value_t = 100)]
    pause: u64,
    /// The number of connections at rest
    #[arg(long, default_value_t = 0)]
    at_rest: usize,
    /// The number of further keys, with values of 64 bytes
    #[arg(long, default_value_t = 0)]
    keys: usize,
    /// The number of upgrades
    #[arg(long, default_value_t = 20)]
    upgrades: usize,
    /// The time between two upgrades, in milliseconds
    #[arg(long, default_value_t = 1_000)]
    apart: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let python = (options.python > 0)
        .then(|| redis_py(&std::env::temp_dir().join("fsm-tests")))
        .flatten()
        .map(|python| (options.python, python));
    let load = UpgradeLoad {
        counters: options.counters,
        cli: options.cli,
        python,
        benchmark: options.benchmark,
        requests: options.requests / 16 * 16,
        pause: Duration::from_millis(options.pause),
        at_rest: options.at_rest,
        keys: options.keys,
        upgrades: options.upgrades,
        apart: Duration::from_millis(options.apart),
    };
    let report = load.run();
    print!("{report}");
    for fault in report.faults.iter().take(20) {
        println!("{fault}");
    }
    if report.faults.is_empty() {
        println!(
            "\nNo client has noticed an upgrade: no error, no reset, nothing lost or doubled."
        );
        return ExitCode::SUCCESS;
    }
    println!("{} faults", report.faults.len());
    ExitCode::FAILURE
}
