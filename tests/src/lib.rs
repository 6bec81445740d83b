//! What the end-to-end tests share: the servers they start, the clients they run, a connection.

#![cfg(unix)]
#![expect(clippy::missing_panics_doc, reason = "a test's helper panics where the test fails")]

mod client;
mod compiler;
mod connection;
mod example;
mod neighbour;
mod run;
mod server;
mod turn;

pub use client::{client, missing};
pub use compiler::{Compiler, Library, Message};
pub use connection::{Connection, encode, expect_silence};
pub use example::example;
pub use neighbour::Neighbour;
pub use run::{Ran, run, run_with_input};
pub use server::{Failure, Server};
pub use turn::one_at_a_time;

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
