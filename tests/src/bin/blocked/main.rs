// cargo run --release -p fsm-tests --bin blocked
//! How much a few handlers that block hold up all the others: the block test of a port.
//!
//! Many connections ask one after another, as soon as they have their answer. A few of them have
//! their handler sleep. What the others get is measured, on ports of several settings and on tokio,
//! which run one after another, round by round, so that whatever else the machine does hits all of
//! them.

mod load;
mod servers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::load::{Load, Measured};
use self::servers::Kind;

#[derive(Parser)]
#[command(about = "Measures what handlers that block cost the other connections")]
struct Options {
    /// How long each server is measured in each round
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// How often; the medians are printed
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How many connections there are in all
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// How many of them have their handler block
    #[arg(long, default_value_t = 4)]
    blockers: usize,
    /// How long it blocks, in milliseconds
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
