//! Measures how much a few blocking handlers hold up all other connections.
//!
//! Start it with `cargo run --release -p fsm-tests --bin blocked`.
//!
//! Many connections send one request after another; the handlers of a few of them sleep. The
//! program measures the latency and the rate of the others, on ports with several settings and on
//! tokio. The servers alternate, round by round, so that other work on the machine affects all of
//! them.

mod load;
mod servers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::load::{Load, Measured};
use self::servers::Kind;

#[derive(Parser)]
#[command(about = "Measures how much blocking handlers hold up other connections")]
struct Options {
    /// The time for which a round measures each server, in seconds
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// The number of rounds, of which the medians are printed
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The number of all connections
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// The number of connections whose handlers block
    #[arg(long, default_value_t = 4)]
    blockers: usize,
    /// The time for which these handlers block, in milliseconds
    #[arg(long, default_value_t = 5)]
    block_ms: u64,
}

fn main() -> ExitCode {
    match measure(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("blocked: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let Options { seconds, rounds, connections, blockers, block_ms } = *options;
    if blockers > connections {
        return Err("there cannot be more blockers than connections".into());
    }
    let load = Load { connections, blockers, time: Duration::try_from_secs_f64(seconds)? };
    let pause = Duration::from_millis(block_ms);
    let mut measured: Vec<Vec<Measured>> = vec![Vec::new(); Kind::ALL.len()];
    for round in 0..rounds {
        for (kind, measured) in Kind::ALL.iter().zip(&mut measured) {
            eprintln!("round {} of {rounds}: {}", round + 1, kind.name());
            let server = kind.start(pause)?;
            measured.push(load.run(server.address)?);
        }
    }
    println!("{connections} connections, of which {blockers} block for {block_ms} ms a request;");
    println!("medians of {rounds} rounds of {seconds} s on {} processors\n", processors());
    println!("| server | requests/s of the others | p50 | p99 | requests/s of the blockers |");
    println!("|---|--:|--:|--:|--:|");
    for (kind, measured) in Kind::ALL.iter().zip(&measured) {
        let median = |number: fn(&Measured) -> f64| median(measured.iter().map(number).collect());
        println!(
            "| {} | {:.0} | {:.2} ms | {:.2} ms | {:.0} |",
            kind.name(),
            median(|run| run.others),
            median(|run| run.p50),
            median(|run| run.p99),
            median(|run| run.blockers),
        );
    }
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
