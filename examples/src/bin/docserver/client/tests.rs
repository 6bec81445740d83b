//! The front pool without sockets, with a clock that the test moves. It is alone: it does by itself
//! what the other pools are for.

use std::time::Duration;

use fsm_runtime::Ended;
use fsm_runtime::sim::Session;
use tempfile::TempDir;

use super::*;
use crate::feed::Feed;
use crate::front::Front;
use crate::index::Indexer;
use crate::server::Alone;
use crate::store::Store;

const SECOND: Duration = Duration::from_secs(1);

/// A client's end of a connection to a server of its own.
struct Peer {
    session: Session<Front, Client>,
    root: TempDir,
}

impl Peer {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (store, _) = Store::open(root.path()).unwrap();
        let directory = Arc::clone(store.directory());
        let indexer = Indexer { store, feed: Arc::<Feed>::default(), delay: Duration::ZERO };
        let alone = Some(Alone::new(vec![indexer]));
        let server = Arc::new(Server { directory, max_size: 1 << 20, alone });
        Self { session: Session::new(Client::new(&server)), root }
    }

    /// What comes back for what is sent.
    fn ask(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.session.send(bytes.as_ref());
        String::from_utf8_lossy(&self.session.receive()).into_owned()
    }

    fn wait(&mut self, time: Duration) -> String {
        self.session.advance(time);
        String::from_utf8_lossy(&self.session.receive()).into_owned()
    }

    fn spools(&self) -> usize {
        self.root.path().join("tmp").read_dir().unwrap().count()
    }

    #[track_caller]
    fn expect_timeout(&mut self, after: Duration) {
        assert_eq!(self.wait(after.saturating_sub(SECOND)), "");
        assert!(self.session.ended().is_none(), "it should wait longer");
        let answer = self.wait(SECOND);
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        self.session.end();
        assert_eq!(self.session.ended(), Some(Ended::Done));
        assert_eq!(self.spools(), 0);
    }
}

#[test]
fn half_a_head_has_a_minute() {
    for half in ["G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut peer = Peer::new();
        assert_eq!(peer.ask(half), "");
        peer.expect_timeout(60 * SECOND);
    }
}

/// Bytes that do not end the head give it no more time.
#[test]
fn a_head_that_drips_has_a_minute() {
    let mut peer = Peer::new();
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
    for byte in head.as_bytes().chunks(1).take(59) {
        assert_eq!(peer.ask(byte), "");
        assert_eq!(peer.wait(SECOND), "");
    }
    peer.expect_timeout(SECOND);
}

#[test]
fn who_says_nothing_for_a_minute_is_gone_without_a_word() {
    let mut peer = Peer::new();
    assert!(peer.ask("GET /docs HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    assert_eq!(peer.wait(59 * SECOND), "");
    assert_eq!(peer.session.ended(), None);
    assert_eq!(peer.wait(SECOND), "");
    peer.session.end();
    assert_eq!(peer.session.ended(), Some(Ended::Done));
}

/// The minute is for each request, also where the answer leads to no other state.
#[test]
fn who_asks_again_and_again_may_stay() {
    for path in ["/", "/none", "/docs", "/docs/none"] {
        let mut peer = Peer::new();
        for _ in 0..5 {
            let answer = peer.ask(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
            assert!(answer.contains("\r\nConnection: keep-alive\r\n"), "{path}: {answer}");
            assert_eq!(peer.wait(50 * SECOND), "", "{path}");
        }
        assert_eq!(peer.session.state(), Some("Head"), "{path}");
    }
}

#[test]
fn a_body_that_does_not_come_has_half_a_minute() {
    let sized = "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    let chunked = "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (head, body, state) in [
        (sized, "", "Sized"),
        (sized, "abcd", "Sized"),
        (chunked, "", "ChunkSize"),
        (chunked, "5;x=", "ChunkSize"),
        (chunked, "5\r\nabcd", "Chunk"),
        (chunked, "5\r\nabcde\r", "ChunkEnd"),
        (chunked, "0\r\n", "Trailer"),
        (chunked, "0\r\nX: y\r\nZ", "Trailer"),
    ] {
        let mut peer = Peer::new();
        assert_eq!(peer.ask(format!("{head}{body}")), "");
        assert_eq!((peer.session.state(), peer.spools()), (Some(state), 1), "{body:?}");
        peer.expect_timeout(30 * SECOND);
    }
}

/// A slow client that goes on sending is served.
#[test]
fn a_body_may_come_slowly() {
    let mut peer = Peer::new();
    peer.ask("PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    for byte in ["a", "b", "c", "d"] {
        assert_eq!(peer.ask(byte), "");
        assert_eq!(peer.wait(29 * SECOND), "");
    }
    assert!(peer.ask("e").starts_with("HTTP/1.1 201 Created\r\n"));
}

/// A document for somebody who does not read it waits for half a minute, and little of it is held.
#[test]
fn who_does_not_read_is_gone_after_half_a_minute() {
    let mut peer = Peer::new();
    let body = "x".repeat(1 << 20);
    let put = "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\n";
    assert!(peer.ask(put.to_owned() + &body).starts_with("HTTP/1.1 201 Created\r\n"));
    peer.session.window(0);
    peer.session.send(b"GET /docs/a HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(peer.session.state(), Some("Stream"));
    peer.session.advance(29 * SECOND);
    assert_eq!(peer.session.state(), Some("Stream"));
    peer.session.advance(SECOND);
    assert_ne!(peer.session.state(), Some("Stream"));
    // What is left has some time to leave.
    peer.session.advance(5 * SECOND);
    assert_eq!(peer.session.ended(), Some(Ended::SendTimeout));
}

#[test]
fn a_drain_ends_who_rests_and_lets_others_finish() {
    let mut peer = Peer::new();
    peer.session.drain();
    assert_eq!(peer.session.ended(), Some(Ended::Drained));

    let put = "PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    for at in (1..put.len()).step_by(7) {
        let mut peer = Peer::new();
        assert_eq!(peer.ask(&put[..at]), "");
        peer.session.drain();
        let answer = peer.ask(&put[at..]);
        assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{at}: {answer}");
        peer.session.end();
        assert!(peer.session.ended().is_some(), "{at}");
    }
}

/// What a request before says does not count for one that cannot be read.
#[test]
fn a_refusal_after_a_head_has_its_body() {
    let mut peer = Peer::new();
    let answers = peer.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET  / HTTP/1.1\r\n\r\n");
    let (_, refusal) = answers.split_once("HTTP/1.1 400 Bad Request\r\n").unwrap();
    assert!(refusal.contains("\r\nConnection: close\r\n"), "{answers}");
    assert!(refusal.ends_with('}'), "{answers}");
}
