// cargo run --release -p fsm-tests --bin calls -- --calls 10000000
//! Calls between two pools, by the million, while the called pool is full, jobs panic, deadlines
//! pass, and pools are closed in the middle of it.
//!
//! Each call has a number of its own, and exactly one thing must come of it: the reply with that
//! number, or one of the edges `gone`, `full` and `within`. In the end the books must balance, no job
//! may be left, and slots and memory must have been used again. The work is cut into rounds, each
//! with two new pools.

mod books;
mod pools;
mod random;
mod round;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use self::books::Counts;
use self::random::Random;
use self::round::Round;

#[derive(Clone, Copy, Parser)]
#[command(about = "Has one pool call another millions of times, and checks that nothing is lost")]
struct Options {
    /// How many calls
    #[arg(long, default_value_t = 10_000_000)]
    calls: u64,
    /// The threads of the pool that calls
    #[arg(long, default_value_t = 4)]
    threads: usize,
    /// How many jobs call at a time, each one call after another
    #[arg(long, default_value_t = 256)]
    callers: usize,
    /// The threads of the pool that is called; half of them run at a time, and the others when some
    /// of those block
    #[arg(long, default_value_t = 4)]
    workers: usize,
    /// How many jobs that pool takes at a time
    #[arg(long, default_value_t = 64)]
    room: usize,
    /// The calls of a round at most; it is cut short where a pool is closed
    #[arg(long, default_value_t = 200_000)]
    round: u64,
    /// Where the random numbers begin
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
    // Once the first rounds have made what is kept.
    let mut memory = None;
    while all.calls < options.calls {
        let calls = options.round.min(options.calls - all.calls);
        let round = Round::new(options, calls, random.next());
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
            return Err(format!("memory has grown by more than {bound} kB").into());
        }
    }
    Ok(())
}

/// The memory of this process, where the system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
