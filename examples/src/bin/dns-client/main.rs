//! Asks DNS servers a question. It shows a client over datagrams, which asks again when an answer is lost, beside one
//! over TCP for answers that no datagram can hold. The machines are in `ask.rs`, and their caller is in `client.rs`.
//!
//! ```sh
//! cargo run --release --bin dns -- --zone FILE &
//! cargo run --release --bin dns-client -- --server 127.0.0.1:7053 example.org MX
//! ```
//!
//! A query has a random id, and goes out from a port that the system chooses for it alone. Its answer must come from
//! that server to that port, with the id and the question; all else is ignored. So neither a late answer to another
//! query nor one that somebody has made up is taken for it (RFC 5452).

#![forbid(unsafe_code)]

mod ask;
mod client;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::io::Write;
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use domain::base::iana::Rcode;
use domain::base::name::ParsedName;
use domain::base::{Message, Rtype};
use domain::rdata::AllRecordData;

use crate::ask::{Patience, Query};
use crate::client::Client;

/// Asks DNS servers a question and prints the records of the answer
///
/// The exit code is 1 if the answer has an error, such as NXDOMAIN, and 3 if there is no answer.
#[derive(Parser)]
#[command(
    name = "dns-client",
    version,
    after_help = "Try: dns-client --server 127.0.0.1:7053 example.org MX"
)]
struct Options {
    /// A server: `ADDRESS:PORT`, `[IPV6]:PORT` or `NAME:PORT`. It may be given several times: the next one is asked if
    /// one does not answer
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7053")]
    server: Vec<String>,
    /// The time in which a server must answer before it is asked again, such as 500ms or 2s; a minute at most
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = fsm_examples::time)]
    wait: Duration,
    /// How often a server is asked
    #[arg(long, value_name = "N", default_value = "3")]
    tries: NonZeroU32,
    /// The name
    #[arg(value_name = "NAME")]
    name: ask::Name,
    /// The type of the records
    #[arg(value_name = "TYPE", default_value = "A")]
    rtype: Rtype,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Options { server: servers, wait, tries, name, rtype } = Options::parse();
    let client = Client::connect(&servers, Patience { wait, tries: tries.get() })?;
    let Some(answer) = client.ask(&Query::new(&name, rtype)?) else {
        eprintln!("dns-client: no server has answered");
        return Ok(ExitCode::from(3));
    };
    print(&answer)?;
    let rcode = answer.header().rcode();
    if rcode == Rcode::NOERROR {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("dns-client: {rcode}");
    Ok(ExitCode::FAILURE)
}

/// Prints the records of an answer, one a line, as a zone file has them.
fn print(answer: &Message<Vec<u8>>) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for record in answer.answer()?.limit_to::<AllRecordData<_, ParsedName<_>>>() {
        writeln!(out, "{}", record?)?;
    }
    Ok(())
}
