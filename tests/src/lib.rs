//! The shared parts of the end-to-end tests: servers, client programs, connections and loads.

#![cfg(unix)]
#![expect(clippy::missing_panics_doc, reason = "a test's helper panics where the test fails")]

mod answer;
mod background_client;
mod browser;
mod client;
mod compiler;
mod connection;
mod docserver;
mod document_series;
mod example;
mod filing_load;
#[cfg(doctest)]
mod guide;
mod memory_growth;
mod nsd;
mod one_at_a_time;
mod passed;
mod random;
mod redis;
mod restart_load;
mod run;
mod server;
mod sha256;
mod subscriber;
mod temp_dir;
mod upgradable;
mod upgrade_load;

pub use answer::Answer;
pub use background_client::BackgroundClient;
pub use browser::Browser;
pub use client::{client, skip};
pub use compiler::{Compiler, Library, Message};
pub use connection::{Connection, encode, expect_silence};
pub use docserver::{Docserver, Listed, get, list, put, request};
pub use document_series::DocumentSeries;
pub use example::example;
pub use filing_load::{FilingLoad, JobCounts, Latencies, Report, Setting};
pub use memory_growth::MemoryGrowth;
pub use nsd::Nsd;
pub use one_at_a_time::one_at_a_time;
pub use passed::with_sockets;
pub use random::Random;
pub use redis::Redis;
pub use restart_load::{Restart, RestartLoad, RestartReport, serve_with_tokio};
pub use run::{RunOutput, run, run_with_input};
pub use server::{Failure, Server};
pub use sha256::sha256;
pub use subscriber::{Received, Subscriber};
pub use temp_dir::TempDir;
pub use upgradable::{Upgradable, kill};
pub use upgrade_load::{Part, Peak, UpgradeLoad, UpgradeReport, Upgraded, redis_py};

use std::time::{Duration, Instant};

/// The time limit of anything that should be immediate.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// `all` with `CI`, and else `fewer`: servers that are built without optimization take ten times as long
/// for each.
pub fn all_in_ci<T>(all: T, fewer: T) -> T {
    if std::env::var_os("CI").is_some() { all } else { fewer }
}

/// All `items` with `CI`, and else the first of each `step`.
pub fn some_without_ci<T>(items: Vec<T>, step: usize) -> Vec<T> {
    items.into_iter().step_by(all_in_ci(1, step)).collect()
}

/// Polls until `condition` holds, for conditions that cause no event.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + TIMEOUT;
    while !condition() {
        assert!(Instant::now() < end, "{what}: not within {TIMEOUT:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The README's code, which is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
