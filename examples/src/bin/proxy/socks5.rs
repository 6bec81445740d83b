//! `proxy socks5`: clients say where they want to be connected to (RFC 1928).
//!
//! ```sh
//! cargo run --release --bin proxy -- socks5 --user ann:secret
//! curl --socks5-hostname 127.0.0.1:1080 --proxy-user ann:secret http://example.org/
//! ```
//!
//! # Names and addresses
//!
//! Clients must not reach what only this machine should reach, such as a database on 127.0.0.1 or the metadata
//! service of a cloud on 169.254.169.254. To compare names is no help, because the owner of a name chooses its
//! addresses, and may choose others a second later. So another pool looks the name up first ([`lookup`]), each
//! address is compared with the lists ([`rules`]), and the machine connects to one of these addresses, not to the
//! name. A refused address never gets a packet, and whether something listens there makes no difference to the
//! answer. A `connect` to `Target::Name` would have shown the address only afterwards, in `Connected::peer`.
//!
//! The lists say nothing about other addresses of this machine, such as the one of its network card: deny them, or
//! the networks behind it, if clients should not have them.
//!
//! User names and passwords are sent as they are: anybody on the way can read them.

mod client;
mod frames;
mod lookup;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use fsm_examples::Serving;
use fsm_runtime::prelude::*;

use crate::times::Times;
use client::Client;
use frames::{Greetings, Logins, Requests, RequestsError};
use lookup::{Lookup, look_up};
use rules::{Rule, Rules};

/// The threads that look names up; the resolver of the system blocks.
const LOOKUP_THREADS: usize = 16;

/// A client and its target.
#[state_machine(
    start = Greeting, settings = Times, eof => Gone,
    within(Handshake) = 10s => Gone, Handshake = Greeting | Login | Request,
)]
pub(crate) enum Socks {
    #[read(frame = Greetings, refused => Gone)]
    #[to(Login | Request | Leaving)]
    #[rest]
    Greeting,
    #[read(frame = Logins, refused => Gone)]
    #[to(Request | Leaving)]
    Login,
    #[read(frame = Requests, refused => BadRequest)]
    #[to(Looking | Dial | Leaving)]
    Request,
    /// Another pool looks the name up.
    #[call(Lookup, within = settings.connect_timeout <= 1min => Late, gone => NoLookup)]
    #[to(Dial | Leaving)]
    Looking,
    /// Connects to an address that the lists allow.
    #[connect(within = settings.connect_timeout <= 1min => Late, refused => Refused)]
    #[to(Tunnel)]
    Dial,
    /// A pause before the next address. Without it the macro would find a cycle that neither waits nor reads.
    #[sleep(1ms)]
    #[to(Dial | Leaving)]
    Refused {
        #[error]
        why: std::io::Error,
    },
    #[run]
    #[to(Dial | Leaving)]
    Late,
    #[run]
    #[to(Leaving)]
    NoLookup,
    #[run]
    #[to(Leaving)]
    BadRequest {
        #[error]
        why: RequestsError,
    },
    #[relay(
        max = 64KiB,
        idle = settings.idle <= 1d => Quiet,
        eof = settings.half_closed <= 1d => Quiet,
        gone => Broken,
    )]
    #[to(Gone)]
    Tunnel,
    #[run]
    #[to(Gone)]
    Quiet,
    #[run]
    #[to(Gone)]
    Broken,
    /// The refusal leaves.
    #[flush(within = 5s => Gone)]
    #[to(Gone)]
    Leaving,
    #[end]
    Gone,
}

/// Connects clients to the targets that they name (SOCKS5)
///
/// It does CONNECT, to IPv4 and IPv6 addresses and names, with or without a password. Loopback, link-local and
/// unspecified addresses are refused, also as the address of a name, unless an --allow has such a network.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    serving: Serving<1080>,
    /// A user, who may log in with this password. It may be given several times; without it no login is necessary.
    /// Other users of this machine can see it in the list of processes
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Vec<User>,
    /// Targets that clients may have, and with a port only that one: a network such as 10.0.0.0/8 or
    /// 127.0.0.1:80, a name, or .NAME for all names below it. With one --allow all others are refused
    #[arg(long, value_name = "NET|NAME[:PORT]")]
    allow: Vec<Rule>,
    /// Targets that clients may not have, also if an --allow has them
    #[arg(long, value_name = "NET|NAME[:PORT]")]
    deny: Vec<Rule>,
    #[command(flatten)]
    times: Times,
}

/// A user of the command line.
#[derive(Clone)]
struct User {
    name: String,
    password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl std::str::FromStr for User {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some((name, password))
                if [name, password].iter().all(|it| (1..=255).contains(&it.len())) =>
            {
                Ok(Self { name: name.to_owned(), password: password.to_owned() })
            }
            _ => Err("it is a name and a password of 1 to 255 bytes, with a colon between them"
                .to_owned()),
        }
    }
}

/// The data that all connections share.
#[derive(Default)]
pub(crate) struct Door {
    /// The passwords of the users; if there are none, no login is necessary.
    passwords: HashMap<Vec<u8>, Vec<u8>>,
    rules: Rules,
}

impl Door {
    fn new(users: Vec<User>, rules: Rules) -> Self {
        let passwords = users.into_iter().map(|user| (user.name.into(), user.password.into()));
        Self { passwords: passwords.collect(), rules }
    }

    fn needs_login(&self) -> bool {
        !self.passwords.is_empty()
    }

    fn knows(&self, name: &[u8], password: &[u8]) -> bool {
        self.passwords.get(name).is_some_and(|own| own == password)
    }

    /// The addresses that the lists allow.
    fn allowed(&self, name: Option<&str>, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let is_allowed = |it: &SocketAddr| self.rules.allows(name, it.ip(), it.port());
        addresses.into_iter().filter(is_allowed).collect()
    }
}

pub(crate) fn run(options: Options) -> Result<(), PoolError> {
    let Options { serving, user, allow, deny, times } = options;
    let _log = serving.start_log()?;
    let door = Arc::new(Door::new(user, Rules { allow, deny }));
    let pool = serving.pool(Pool::builder::<Socks>("socks5")).settings(times);
    let pools = Pipeline::new()
        .pool(pool.handler(move |peer| Client::new(&door, peer)))
        .pool(Pool::workers::<Lookup>("lookup", LOOKUP_THREADS, look_up));
    serving.pipeline(pools).run()
}
