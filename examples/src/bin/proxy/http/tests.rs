//! The machine without sockets: the test is the client and the target.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use fsm_runtime::sim::Session;
use fsm_runtime::{Ended, Peer};

use super::{Client, Exchange, Settings};
use crate::targets::Targets;

mod answers;
mod bodies;
mod cuts;
mod early;
mod fields;
mod limits;
mod refusals;
mod targets;

const SECOND: Duration = Duration::from_secs(1);
const GET: &str = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A client of the proxy, and its targets.
struct World(Session<Exchange, Client>);

impl World {
    fn new() -> Self {
        Self::with_targets(&["10.0.0.1:80"])
    }

    fn with_targets(targets: &[&str]) -> Self {
        Self::of("192.0.2.7:4000", &shared(targets))
    }

    /// A client with this address, of a proxy with these targets.
    fn of(address: &str, targets: &Arc<Targets>) -> Self {
        let client = Client::new(Peer::Tcp(address.parse().unwrap()), Arc::clone(targets));
        Self(Session::with_settings(client, Settings::default()))
    }

    /// A world in which the target has got this request, and the request as it has got it.
    fn asked(request: &str) -> (Self, String) {
        let mut world = Self::new();
        world.send(request);
        world.0.accept();
        let got = world.target();
        (world, got)
    }

    /// Sends bytes of the client.
    fn send(&mut self, bytes: &str) {
        self.0.send(bytes.as_bytes());
    }

    /// Takes what the client has got.
    fn client(&mut self) -> String {
        String::from_utf8_lossy(&self.0.receive()).into_owned()
    }

    /// Takes what the target has got.
    fn target(&mut self) -> String {
        String::from_utf8_lossy(&self.0.other().receive()).into_owned()
    }

    /// Sends bytes of the target, and takes what the client has got.
    fn answer(&mut self, bytes: &str) -> String {
        self.0.other().send(bytes.as_bytes());
        self.client()
    }

    fn connecting(&self) -> String {
        self.0.connecting().map(|target| target.to_string()).unwrap_or_default()
    }

    /// The client has got this status, and the connection is over.
    #[track_caller]
    fn expect_last(&mut self, status: u16) {
        self.expect_last_words(status);
        assert_eq!(self.0.ended(), Some(Ended::Done));
    }

    /// The client has its last answer, and ends its stream.
    #[track_caller]
    fn expect_last_words(&mut self, status: u16) {
        let got = self.client();
        assert_status(&got, status);
        assert!(got.contains("\r\nConnection: close\r\n"), "{got}");
        self.0.end();
    }
}

fn shared(targets: &[&str]) -> Arc<Targets> {
    Arc::new(Targets::new(targets.iter().map(|target| target.parse().unwrap()).collect()))
}

#[track_caller]
fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer:?}");
}

/// The body of one answer or request.
fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{message:?} has no end of its head")).1
}

fn has(message: &str, line: &str) -> bool {
    message.split("\r\n").any(|found| found == line)
}
