//! Makes millions of calls between two pools, while the called pool is full, jobs panic, deadlines
//! pass and pools are closed.
//!
//! Start it with `cargo run --release -p fsm-tests --bin calls -- --calls 10000000`.
//!
//! Each call has a number, and must have exactly one outcome: the reply with that number, or one of
//! the edges `gone`, `full` and `within`. At the end the counters of the pools must add up, no job
//! may be left, and slots and memory must have been reused. The run is a series of rounds with two
//! new pools each.

mod call_log;
mod pools;
mod round;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use fsm_tests::Random;

use self::call_log::Counts;
use self::round::Round;

#[derive(Clone, Copy, Parser)]
#[command(about = "Makes millions of calls between two pools, and checks that none is lost")]
struct Options {
    /// The number of calls
    #[arg(long, default_value_t = 10_000_000)]
    calls: u64,
    /// The threads of the calling pool
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// The number of jobs that make calls at the same time, each one after another
    #[arg(long, default_value_t = 256)]
    callers: usize,
    /// The threads of the called pool; half of them run at the same time, and others while some
    /// block
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// The maximum number of jobs in the called pool
    #[arg(long, default_value_t = 64)]
    room: usize,
    /// The maximum number of calls in a round, which ends early if a pool is closed
    #[arg(long, default_value_t = 200_000)]
    round: u64,
    /// The seed of the random numbers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match check(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("calls: {error}");
            ExitCode::FAILURE
        }
    }
}

fn check(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let begin = Instant::now();
    let mut random = Random::new(options.seed);
    let mut all = Counts::default();
    let mut rounds = 0;
    // Measured after the first rounds, which allocate memory that later ones reuse.
    let mut memory = None;
    while all.calls < options.calls {
        let calls = options.round.min(options.calls - all.calls);
        let round = Round::new(options, calls, random.number());
        all += round.run().map_err(|error| format!("round {rounds}, {round}: {error}"))?;
        rounds += 1;
        if rounds == 5 {
            memory = resident();
        }
        eprintln!("{} calls, {:.0}/s, {rounds} rounds", all.calls, all.rate(begin.elapsed()));
    }
    let took = begin.elapsed();
    println!("{all}");
    println!("calls per second: {:.0}", all.rate(took));
    if let (Some(before), Some(after)) = (memory, resident()) {
        println!("resident memory: {before} kB after 5 rounds, {after} kB after {rounds}");
        let bound = 16 * 1024;
        if after > before + bound {
            return Err(format!("memory grew by more than {bound} kB").into());
        }
    }
    Ok(())
}

/// The resident memory of this process in kB, on Linux.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
