//! Proxies: each subcommand is one, and shows how a connection has another socket.
//!
//! | | it shows |
//! |---|---|
//! | `proxy tcp --to TARGET` | `connect` and `relay`, several targets, PROXY headers read and written |
//! | `proxy http --to TARGET` | bodies of any size with `relay`, connections to targets that are kept, retries |
//! | `proxy socks5` | declared frames, names that other threads look up, lists of allowed targets |
//!
//! Start one with `cargo run --release --bin proxy -- tcp --to 127.0.0.1:7070`. Start reading at `tcp.rs`,
//! which has the smallest machine.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod http;
mod socks5;
mod targets;
mod tcp;
mod times;

/// Proxies: they pass connections on
#[derive(Parser)]
#[command(name = "proxy", version)]
struct Options {
    #[command(subcommand)]
    proxy: Proxy,
}

#[derive(Subcommand)]
enum Proxy {
    Tcp(tcp::Options),
    Socks5(socks5::Options),
    /// Passes HTTP/1.1 requests on to one of the targets
    Http(http::Args),
}

fn main() -> ExitCode {
    let ran = match Options::parse().proxy {
        Proxy::Tcp(options) => tcp::run(options),
        Proxy::Socks5(options) => socks5::run(options).map_err(Into::into),
        Proxy::Http(args) => http::run(args),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `eprintln!`, which panics if nobody reads.
            let _ = writeln!(io::stderr(), "proxy: {error}");
            ExitCode::FAILURE
        }
    }
}
