//! A reverse proxy.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod http;

/// Passes connections on to other servers.
#[derive(Parser)]
#[command(version)]
struct Options {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Subcommand)]
enum Protocol {
    /// Passes HTTP/1.1 requests on
    Http(http::Args),
}

fn main() -> ExitCode {
    let Protocol::Http(args) = Options::parse().protocol;
    match http::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics if nobody reads.
            let _ = writeln!(io::stderr(), "proxy: {error}");
            ExitCode::FAILURE
        }
    }
}
