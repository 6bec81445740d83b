//! An echo server, and a machine without sockets, that the lab builds with the feature `console` and without.

use std::error::Error;

use clap::Parser;
use fsm_runtime::prelude::*;
use fsm_runtime::sim::Session;
use fsm_runtime::{Address, Pipeline};

/// State changes of a turn, slightly below a port's limit of handler calls per turn.
const CHANGES: usize = 1000;

/// A program with a console or without.
#[derive(Debug, Parser)]
enum Arguments {
    /// Serves echoes, and prints the address.
    Serve {
        /// The address of the console.
        #[arg(long)]
        console: Option<String>,
    },
    /// Runs turns of a thousand state changes each, without sockets.
    Change { turns: u64 },
}

/// The machine of the example `echo`.
#[state_machine(start = Talk, eof => Gone)]
enum Echo {
    /// Sends received bytes back.
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[to(Talk)]
    #[rest]
    Talk,
    #[end]
    Gone,
}

struct Client;

impl echo::Handler for Client {
    fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
        cx.write(bytes);
        echo::AfterTalk::Talk
    }
}

/// Changes its state on each byte.
#[state_machine(start = Left, eof => Gone)]
enum Changing {
    #[read(exact = 1, within = 30s => Gone)]
    #[to(Right)]
    Left,
    #[read(exact = 1, within = 30s => Gone)]
    #[to(Left)]
    Right,
    #[end]
    Gone,
}

struct Counter(u64);

impl changing::Handler for Counter {
    fn left(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> changing::AfterLeft {
        self.0 += u64::from(byte[0]);
        changing::AfterLeft::Right
    }

    fn right(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> changing::AfterRight {
        self.0 += u64::from(byte[0]);
        changing::AfterRight::Left
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse() {
        Arguments::Serve { console } => serve(console.as_deref()),
        Arguments::Change { turns } => {
            let mut session = Session::<Changing, _>::new(Counter(0));
            for _ in 0..turns {
                session.send(&[1; CHANGES]);
            }
            Ok(())
        }
    }
}

fn serve(console: Option<&str>) -> Result<(), Box<dyn Error>> {
    let pool = Pool::builder::<Echo>("echo").listen("127.0.0.1:0").max_connections(20_000);
    let pipeline = Pipeline::new().pool(pool.handler(|_peer| Client));
    let running = with_console(pipeline, console)?.start()?;
    for address in running.addresses() {
        if let Address::Tcp(address) = address {
            println!("listening {address}");
        }
    }
    running.join()?;
    Ok(())
}

#[cfg(feature = "console")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn with_console(pipeline: Pipeline, at: Option<&str>) -> Result<Pipeline, Box<dyn Error>> {
    Ok(match at {
        Some(at) => pipeline.console(at),
        None => pipeline,
    })
}

#[cfg(not(feature = "console"))]
fn with_console(pipeline: Pipeline, at: Option<&str>) -> Result<Pipeline, Box<dyn Error>> {
    match at {
        Some(_) => Err("it is built without the feature `console`".into()),
        None => Ok(pipeline),
    }
}
