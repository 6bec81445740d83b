//! A reverse proxy for HTTP/1.1.
//!
//! Each client has a machine, [`Exchange`], with a connection to a target, which it uses
//! for one request after another. No body is held: bytes are passed on as they arrive. There are no tunnels:
//! CONNECT is refused, and `Upgrade` is removed, so that no target answers 101.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use fsm_examples::tls::{Certificate, Trust};
use fsm_examples::{Serving, time_up_to, tls};
use fsm_runtime::{Pipeline, Pool, Target};

mod answer;
mod client;
mod current;
mod fields;
mod forward;
mod machine;
mod page;
mod request;

use client::Client;
use machine::Exchange;

use crate::targets::Targets;

// No doc comment, because clap would take it for the description of the command.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    serving: Serving<8080>,
    #[command(flatten)]
    certificate: Certificate,
    #[command(flatten)]
    trust: Trust,
    /// A server that answers the requests: `ADDRESS:PORT`, `[IPV6]:PORT`, `NAME:PORT`, `unix:PATH`, or one of
    /// them after `tls:`. It may be
    /// given several times: clients take them in turn, and one that cannot be connected to is left alone for a
    /// second, and for twice as long after each further failure, up to a minute
    #[arg(long, value_name = "TARGET", required = true)]
    to: Vec<Target>,
    #[command(flatten)]
    settings: Settings,
}

/// The settings of the machine of each client.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Settings {
    /// The longest time between two requests of a client; after it the proxy closes the connection
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = up_to_a_day)]
    pub(crate) idle: Duration,
    /// The longest time from the first byte of a request to the end of its head; after it the answer is 408
    #[arg(long = "head-timeout", value_name = "TIME", default_value = "10s", value_parser = some_minutes)]
    pub(crate) head: Duration,
    /// The longest time in which a target must be connected; after it the next one is tried, or the answer is
    /// 504
    #[arg(long = "connect-timeout", value_name = "TIME", default_value = "5s", value_parser = some_minutes)]
    pub(crate) connect: Duration,
    /// The longest pause within a body
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = some_minutes)]
    pub(crate) stall: Duration,
    /// The longest time from the end of a request to the head of its answer; after it the answer is 504
    #[arg(long = "answer-timeout", value_name = "TIME", default_value = "60s", value_parser = some_minutes)]
    pub(crate) answer: Duration,
    /// The longest time that a body with `Expect: 100-continue` is held back for the target's word
    #[arg(long = "expect-timeout", value_name = "TIME", default_value = "1s", value_parser = some_minutes)]
    pub(crate) expect: Duration,
}

fn up_to_a_day(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1d")
}

fn some_minutes(text: &str) -> Result<Duration, String> {
    time_up_to(text, "10min")
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(60),
            head: Duration::from_secs(10),
            connect: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            expect: Duration::from_secs(1),
        }
    }
}

/// Serves until the process is told to end.
pub(crate) fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let _log = args.serving.start_log()?;
    let server = args.certificate.server(&["http/1.1"])?;
    let client = args.trust.client_of(&args.to)?;
    let targets = Arc::new(Targets::new(args.to));
    let builder = Pool::builder::<Exchange>("http").settings(args.settings);
    let make = move |peer| Client::new(peer, Arc::clone(&targets));
    let pool = tls::pool(&args.serving, builder, server, client, make);
    args.serving.pipeline(Pipeline::new().pool(pool)).run()?;
    Ok(())
}

#[cfg(test)]
mod tests;
