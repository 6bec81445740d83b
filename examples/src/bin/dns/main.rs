//! An authoritative DNS server for one zone, over UDP and TCP. It shows a machine that reads datagrams, beside one
//! that reads frames, with the same answers.
//!
//! Start it with `cargo run --release --bin dns -- --zone FILE`, then ask `dig @127.0.0.1 -p 7053 example.org`.
//! The file is a zone file (RFC 1035), with a `SOA` record. The server answers with the records of the zone, with
//! wildcards, aliases within the zone, and referrals to other servers; it neither signs nor transfers the zone.
//!
//! An answer that is larger than the client can take has the bit TC, and the client asks again over TCP: 512 bytes
//! for a client that does not say, and 1,232 bytes at most, so that no answer is sent in fragments. An answer to
//! `ANY` over UDP has that bit, too, because the senders of datagrams cannot be trusted.

#![forbid(unsafe_code)]

mod lookup;
mod names;
mod reply;
#[cfg(test)]
mod tests;
mod zone;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use fsm_examples::{Grace, Serving};
use fsm_runtime::prelude::*;
use fsm_runtime::{Address, Builder};

use crate::reply::{Answers, Room};
use crate::zone::Zone;

/// Answers one datagram, and keeps nothing of its sender.
#[state_machine(start = Query)]
enum Udp {
    #[read(datagram, max = 4KiB, idle = 5s => Done)]
    #[to(Done)]
    #[rest]
    Query,
    #[end]
    Done,
}

/// A message behind its length.
#[frame(Messages)]
struct Message<'a> {
    len: u16,
    #[bytes(len <= 4KiB)]
    message: &'a [u8],
}

/// Answers queries until the client is silent.
#[state_machine(start = Query, eof => Done)]
enum Tcp {
    #[read(frame = Messages, idle = 10s => Done, begun = 5s => Done, refused => Done)]
    #[to(Query | Done)]
    #[rest]
    Query,
    #[end]
    Done,
}

struct Client {
    answers: Answers,
}

/// A client that may send one query after another.
struct StreamClient {
    answers: Answers,
    grace: Arc<Grace>,
}

impl udp::Handler for Client {
    fn query(&mut self, query: &[u8], cx: &mut Cx<'_>) -> udp::AfterQuery {
        if let Some(answer) = self.answers.to(query, Room::Datagram) {
            cx.write(&answer);
        }
        udp::AfterQuery::Done
    }
}

impl tcp::Handler for StreamClient {
    fn query(&mut self, query: Message<'_>, cx: &mut Cx<'_>) -> tcp::AfterQuery {
        let Some(answer) = self.answers.to(query.message, Room::Stream) else {
            return tcp::AfterQuery::Done;
        };
        // `Room::Stream` is what the length can say.
        cx.write(&u16::try_from(answer.len()).unwrap_or(u16::MAX).to_be_bytes());
        cx.write(&answer);
        if self.grace.is_over(cx.draining(), cx.now()) {
            return tcp::AfterQuery::Done;
        }
        tcp::AfterQuery::Query
    }
}

/// Answers questions about a zone
#[derive(Parser)]
#[command(name = "dns", version, after_help = "Try: dig @127.0.0.1 -p 7053 NAME TYPE")]
struct Options {
    /// The zone file
    #[arg(long, value_name = "FILE")]
    zone: PathBuf,
    /// The name that the names in the file are relative to, if it has no `$ORIGIN`
    #[arg(long, value_name = "NAME", value_parser = names::parse)]
    origin: Option<names::Domain>,
    #[command(flatten)]
    serving: Serving<7053>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Options { zone: file, origin, serving } = Options::parse();
    let _log = serving.start_log()?;
    let text = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let zone = Zone::parse(&text, origin).map_err(|why| format!("{}: {why}", file.display()))?;
    let answers = Answers(Arc::new(zone));
    let udp = {
        let answers = answers.clone();
        datagrams(&serving).handler(move |_peer| Client { answers: answers.clone() })
    };
    let grace = Arc::<Grace>::default();
    let tcp = serving
        .pool(Pool::builder::<Tcp>("tcp"))
        .handler(move |_peer| StreamClient { answers: answers.clone(), grace: Arc::clone(&grace) });
    serving.pipeline(Pipeline::new().pool(udp).pool(tcp)).run()?;
    Ok(())
}

/// The pool of datagrams, on the addresses that clients also connect to.
fn datagrams(serving: &Serving<7053>) -> Builder<Udp> {
    let sockets = serving.addresses().filter_map(|address| match address {
        Address::Tcp(socket) => Some(Address::Udp(socket)),
        _ => None,
    });
    let pool = Pool::builder::<Udp>("udp").drain_within(serving.drain_within);
    sockets.fold(pool, |pool, address| pool.listen(address.to_string()))
}
