//! What the end-to-end tests share: the servers they start, the clients they run, a connection.

#![cfg(unix)]
#![expect(clippy::missing_panics_doc, reason = "a test's helper panics where the test fails")]

mod answer;
mod browser;
mod client;
mod compiler;
mod connection;
mod docs;
mod example;
mod growth;
#[cfg(doctest)]
mod guide;
mod neighbour;
mod numbers;
mod office;
mod random;
mod ream;
mod run;
mod scratch;
mod server;
mod turn;
mod watcher;

pub use answer::Answer;
pub use browser::Browser;
pub use client::{client, missing};
pub use compiler::{Compiler, Library, Message};
pub use connection::{Connection, encode, expect_silence};
pub use docs::{Docs, get, put, request};
pub use example::example;
pub use growth::Growth;
pub use neighbour::Neighbour;
pub use numbers::Numbers;
pub use office::{Books, Listed, Office, Report, Setting, Times, list};
pub use random::Random;
pub use ream::{Ream, sha256};
pub use run::{Ran, run, run_with_input};
pub use scratch::Scratch;
pub use server::{Failure, Server};
pub use turn::one_at_a_time;
pub use watcher::{Told, Watcher};

use std::time::{Duration, Instant};

/// How long anything may take that should take no time.
pub const SOON: Duration = Duration::from_secs(20);

/// Waits until `condition` holds, for what no event tells of.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < end, "{what}: not within {SOON:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The README's code, which is compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
