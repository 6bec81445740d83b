//! Sends a command to a Redis server and prints its reply as `redis-cli` does. It shows how a plain program
//! uses connections that a pool opens: as a [`Client`], which is in `examples/src/kv_client.rs`. Start reading
//! there; the replies are declared in `examples/src/resp.rs`.
//!
//! ```sh
//! cargo run --release --bin kv &
//! cargo run --release --bin kv-client -- --server 127.0.0.1:6380 SET greeting hello
//! cargo run --release --bin kv-client -- --server 127.0.0.1:6380 GET greeting
//! ```

#![forbid(unsafe_code)]

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use fsm_examples::kv_client::{Client, Lost};
use fsm_examples::resp::Value;

/// Sends a command to a Redis server and prints its reply
///
/// Strings are printed between quotes, and other replies as `redis-cli` prints them on a terminal. The exit code
/// is 1 if the reply is an error, 3 if the command was not sent, so that it may be tried again, and 4 if
/// it is not known whether the server has done the command.
#[derive(Parser)]
#[command(
    name = "kv-client",
    version,
    after_help = "Try: kv-client --server 127.0.0.1:6380 SET greeting hello"
)]
struct Options {
    /// The server: `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT` or `unix:PATH`
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6379")]
    server: String,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Options { server, command } = Options::parse();
    let client = Client::connect(&server)?;
    match client.command(command.into_iter().map(OsString::into_encoded_bytes)) {
        Ok(value) => {
            writeln!(std::io::stdout(), "{value}")?;
            let failed = matches!(value, Value::Error(_));
            Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Err(lost) => {
            eprintln!("kv-client: {lost}");
            Ok(ExitCode::from(if lost == Lost::Unsent { 3 } else { 4 }))
        }
    }
}
