//! The front pool without sockets and with a clock that the test advances. It runs in single-pool
//! mode, so that it needs no other pools.

use std::time::Duration;

use fsm_runtime::Ended;
use fsm_runtime::sim::Session;
use tempfile::TempDir;

use super::*;
use crate::feed::Feed;
use crate::front::Front;
use crate::hot::{HotDocuments, HotOptions};
use crate::index::Indexer;
use crate::server::SinglePool;
use crate::store::Store;

const SECOND: Duration = Duration::from_secs(1);

/// The client's end of a connection to its own server.
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
        let single_pool = Some(SinglePool::new(vec![indexer]));
        let hot = Arc::new(HotDocuments::new(&HotOptions::default(), &directory));
        let max_size = 1 << 20;
        let server = Arc::new(Server { directory, hot, max_size, https_port: None, single_pool });
        Self { session: Session::new(Client::new(&server)), root }
    }

    /// Sends bytes and returns the answer.
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
fn an_incomplete_head_has_its_time() {
    for half in ["G", "GET / HTTP/1.1\r\nHost: a\r\n"] {
        let mut peer = Peer::new();
        assert_eq!(peer.ask(half), "");
        peer.expect_timeout(20 * SECOND);
    }
}

/// Bytes that do not complete the head do not extend its time.
#[test]
fn a_head_that_arrives_slowly_has_no_more_time() {
    let mut peer = Peer::new();
    let head = "GET / HTTP/1.1\r\nHost: a\r\nX: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
    for byte in head.as_bytes().chunks(1).take(19) {
        assert_eq!(peer.ask(byte), "");
        assert_eq!(peer.wait(SECOND), "");
    }
    peer.expect_timeout(SECOND);
}

#[test]
fn an_idle_client_is_closed_after_a_minute_without_an_answer() {
    let mut peer = Peer::new();
    assert!(peer.ask("GET /docs HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    assert_eq!(peer.wait(59 * SECOND), "");
    assert_eq!(peer.session.ended(), None);
    assert_eq!(peer.wait(SECOND), "");
    peer.session.end();
    assert_eq!(peer.session.ended(), Some(Ended::Done));
}

/// The time of a head counts from its first byte, however long the client was silent before.
#[test]
fn the_time_of_a_head_counts_from_its_first_byte() {
    let mut peer = Peer::new();
    assert_eq!(peer.wait(59 * SECOND), "");
    assert_eq!(peer.ask("GET / HTTP/1.1\r\n"), "");
    peer.expect_timeout(20 * SECOND);
}

/// Each request has its own minute, also if the answer leads to no other state.
#[test]
fn a_client_that_keeps_sending_requests_stays_connected() {
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
fn a_body_that_does_not_arrive_has_half_a_minute() {
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

/// Sends an upload in pieces, one each second; returns the answer and the seconds that it took.
fn upload(head: &str, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> (String, u64) {
    let mut peer = Peer::new();
    let mut answer = peer.ask(head);
    let mut seconds = 0;
    for piece in pieces {
        answer += &peer.wait(SECOND);
        seconds += 1;
        if answer.is_empty() {
            answer += &peer.ask(piece);
        }
        if !answer.is_empty() {
            break;
        }
    }
    (answer, seconds)
}

fn sized(len: usize) -> String {
    format!("PUT /docs/a HTTP/1.1\r\nHost: a\r\nContent-Length: {len}\r\n\r\n")
}

const CHUNKED: &str = "PUT /docs/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A slow client that keeps the least rate is served, for as long as it takes.
#[test]
fn a_body_may_come_at_the_least_rate() {
    let (answer, seconds) = upload(&sized(200_000), vec![[b'x'; 500]; 400]);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(seconds, 400);

    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    let chunks = std::iter::repeat_n(&*chunk, 400).chain(["0\r\n\r\n"]);
    let (answer, seconds) = upload(CHUNKED, chunks);
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert_eq!(seconds, 401);
}

/// A client that sends a byte now and then has the time of the first part, whatever length it announces.
#[test]
fn a_body_below_the_least_rate_is_late() {
    let byte = |piece: &str| vec![piece.to_owned(); 1_000];
    for (head, piece, most) in [
        (&*sized(60), "", 31),
        (&*sized(1_000), "x", 32),
        (&*sized(1 << 20), "x", 63),
        (&*sized(1 << 20), "more than a byte, but not enough", 63),
        (CHUNKED, "1\r\nx\r\n", 63),
        (CHUNKED, "8\r\nxxxxxxxx\r\n", 63),
    ] {
        let (answer, seconds) = upload(head, byte(piece));
        assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
        assert!((most - 2..=most).contains(&seconds), "{seconds} s for {piece:?}");
    }
    // One chunk without an end, and a client that was fast at first.
    let endless = std::iter::once("100000\r\n".to_owned()).chain(byte("x"));
    assert_eq!(upload(CHUNKED, endless).1, 63);
    let tired = std::iter::once("x".repeat(1 << 19)).chain(byte("x"));
    assert_eq!(upload(&sized(1 << 20), tired).1, 64);
}

/// A client that stops reading is closed after half a minute, and the server buffers little of the
/// document meanwhile.
#[test]
fn a_client_that_does_not_read_is_closed_after_half_a_minute() {
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
    // The connection has some time to send the rest of its output.
    peer.session.advance(5 * SECOND);
    assert_eq!(peer.session.ended(), Some(Ended::SendTimeout));
}

#[test]
fn a_drain_closes_at_rest_and_lets_requests_finish() {
    let mut peer = Peer::new();
    peer.session.drain();
    peer.wait(SECOND);
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

/// A request that cannot be parsed is answered with a body, whatever the method of the request
/// before.
#[test]
fn a_refusal_after_a_head_has_its_body() {
    let mut peer = Peer::new();
    let answers = peer.ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET  / HTTP/1.1\r\n\r\n");
    let (_, refusal) = answers.split_once("HTTP/1.1 400 Bad Request\r\n").unwrap();
    assert!(refusal.contains("\r\nConnection: close\r\n"), "{answers}");
    assert!(refusal.ends_with('}'), "{answers}");
}
