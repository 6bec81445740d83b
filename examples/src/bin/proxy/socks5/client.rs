//! The handler of a client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use fsm_runtime::prelude::*;

use super::frames::{
    CONNECT, Choice, Code, Greeting, Host, Login, NO_METHOD, OPEN, PASSWORD, Request,
    RequestsError, Verdict,
};
use super::lookup::Query;
use super::{Door, socks};
use crate::times::Times;

/// A client.
pub(crate) struct Client {
    door: Arc<Door>,
    peer: Peer,
    /// The target as the client has named it.
    wanted: String,
    /// The name in it.
    name: Option<String>,
    /// The allowed addresses that are not tried yet, the next one last.
    addresses: Vec<SocketAddr>,
    /// When the tunnel began, until its end is logged.
    begun: Option<Instant>,
    /// Tells a query that waits whether the client is still there.
    alive: Arc<()>,
}

/// The most addresses of a name that are tried.
const MAX_ADDRESSES: usize = 16;

type Context<'a> = Cx<'a, NoMessage, Times>;

impl Client {
    pub(super) fn new(door: &Arc<Door>, peer: Peer) -> Self {
        let (door, addresses) = (Arc::clone(door), Vec::new());
        Self {
            door,
            peer,
            wanted: String::new(),
            name: None,
            addresses,
            begun: None,
            alive: Arc::default(),
        }
    }

    /// Sends the reply that ends the connection.
    fn refuse(&self, code: Code, cx: &mut Context<'_>) {
        tracing::info!(client = %self.peer, target = %self.wanted, ?code, "refused");
        reply(code, cx);
    }

    /// The next address to connect to, of those that the lists allow.
    fn first(&mut self, mut addresses: Vec<SocketAddr>, cx: &mut Context<'_>) -> Option<Target> {
        if addresses.is_empty() {
            self.refuse(Code::HostUnreachable, cx);
            return None;
        }
        addresses = self.door.allowed(self.name.as_deref(), addresses);
        addresses.truncate(MAX_ADDRESSES);
        addresses.reverse();
        self.addresses = addresses;
        let next = self.next();
        if next.is_none() {
            self.refuse(Code::NotAllowed, cx);
        }
        next
    }

    fn next(&mut self) -> Option<Target> {
        self.addresses.pop().map(Target::Tcp)
    }

    fn ended(&mut self, how: &str, moved: Moved, cx: &Context<'_>) {
        let Some(begun) = self.begun.take() else { return };
        let time = cx.now().saturating_duration_since(begun);
        let Moved { out, back, .. } = moved;
        tracing::info!(client = %self.peer, target = %self.wanted, out, back, ?time, "{how}");
    }
}

/// Queues a reply.
fn reply(code: Code, cx: &mut Context<'_>) {
    send(&code.reply(), cx);
}

/// Queues a message of ours, which is always one that can be sent.
fn send(message: &impl Encode, cx: &mut Context<'_>) {
    if message.encode(cx).is_err() {
        cx.warn("a message could not be encoded");
    }
}

impl Drop for Client {
    /// Logs a tunnel whose client has reset it, or which a drain has closed. Nobody knows its bytes then.
    fn drop(&mut self) {
        if let Some(begun) = self.begun {
            let time = begun.elapsed();
            tracing::info!(client = %self.peer, target = %self.wanted, ?time, "the tunnel was cut");
        }
    }
}

impl socks::Handler for Client {
    fn greeting(&mut self, greeting: Greeting<'_>, cx: &mut Context<'_>) -> socks::AfterGreeting {
        let needed = if self.door.needs_login() { PASSWORD } else { OPEN };
        let is_offered = greeting.methods.contains(&needed);
        send(&Choice { method: if is_offered { needed } else { NO_METHOD } }, cx);
        match (is_offered, needed) {
            (false, _) => socks::AfterGreeting::Leaving,
            (true, PASSWORD) => socks::AfterGreeting::Login,
            (true, _) => socks::AfterGreeting::Request,
        }
    }

    fn login(&mut self, login: Login<'_>, cx: &mut Context<'_>) -> socks::AfterLogin {
        if self.door.knows(login.name, login.password) {
            send(&Verdict { status: 0 }, cx);
            return socks::AfterLogin::Request;
        }
        tracing::warn!(client = %self.peer, user = %login.name.escape_ascii(), "wrong login");
        send(&Verdict { status: 1 }, cx);
        socks::AfterLogin::Leaving
    }

    fn request(&mut self, request: Request<'_>, cx: &mut Context<'_>) -> socks::AfterRequest {
        let Request { command, host, port } = request;
        self.wanted = format!("{host}:{port}");
        if command != CONNECT {
            self.refuse(Code::NoSuchCommand, cx);
            return socks::AfterRequest::Leaving;
        }
        let address = match host {
            Host::V4 { address } => SocketAddr::from((address, port)),
            Host::V6 { address } => SocketAddr::from((address, port)),
            Host::Name { name } => {
                let Some(Target::Tcp(address)) = self.named(name, port) else {
                    return match self.name.clone() {
                        Some(name) if !self.door.rules.denies_name(&name, port) => {
                            let client = Arc::downgrade(&self.alive);
                            socks::AfterRequest::Looking { job: Query { name, port, client } }
                        }
                        denied => {
                            let code = denied.map_or(Code::Failed, |_| Code::NotAllowed);
                            self.refuse(code, cx);
                            socks::AfterRequest::Leaving
                        }
                    };
                };
                address
            }
        };
        match self.first(vec![address], cx) {
            Some(to) => socks::AfterRequest::Dial { to },
            None => socks::AfterRequest::Leaving,
        }
    }

    fn looking(&mut self, found: Vec<SocketAddr>, cx: &mut Context<'_>) -> socks::AfterLooking {
        match self.first(found, cx) {
            Some(to) => socks::AfterLooking::Dial { to },
            None => socks::AfterLooking::Leaving,
        }
    }

    fn dial(&mut self, _: Connected, cx: &mut Context<'_>) -> socks::AfterDial {
        self.begun = Some(cx.now());
        reply(Code::Done, cx);
        socks::AfterDial::Tunnel
    }

    fn refused(&mut self, why: &mut io::Error, cx: &mut Context<'_>) -> socks::AfterRefused {
        if let Some(to) = self.next() {
            return socks::AfterRefused::Dial { to };
        }
        self.refuse(Code::of(why), cx);
        socks::AfterRefused::Leaving
    }

    fn late(&mut self, cx: &mut Context<'_>) -> socks::AfterLate {
        if let Some(to) = self.next() {
            return socks::AfterLate::Dial { to };
        }
        self.refuse(Code::TimedOut, cx);
        socks::AfterLate::Leaving
    }

    fn no_lookup(&mut self, cx: &mut Context<'_>) -> socks::AfterNoLookup {
        self.refuse(Code::Failed, cx);
        socks::AfterNoLookup::Leaving
    }

    fn bad_request(
        &mut self,
        why: &mut RequestsError,
        cx: &mut Context<'_>,
    ) -> socks::AfterBadRequest {
        self.refuse(Code::of_bad(why), cx);
        socks::AfterBadRequest::Leaving
    }

    fn tunnel(&mut self, moved: Moved, cx: &mut Context<'_>) -> socks::AfterTunnel {
        self.ended("both sides have ended", moved, cx);
        socks::AfterTunnel::Gone
    }

    fn quiet(&mut self, cx: &mut Context<'_>) -> socks::AfterQuiet {
        self.ended("the tunnel was quiet for too long", cx.moved(), cx);
        socks::AfterQuiet::Gone
    }

    fn broken(&mut self, cx: &mut Context<'_>) -> socks::AfterBroken {
        self.ended("the target has broken the connection", cx.moved(), cx);
        socks::AfterBroken::Gone
    }
}

impl Client {
    /// Takes a name from a request. A name that is the text of an address is that address; one that is no text, or
    /// that the resolver could not take, is none.
    fn named(&mut self, name: &[u8], port: u16) -> Option<Target> {
        let name = std::str::from_utf8(name).ok()?;
        let is_odd = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(is_odd) {
            return None;
        }
        self.name = Some(name.to_owned());
        Some(Target::name(name, port))
    }
}
