//! The questions of `dns-client`, and the answers that it takes.

use std::thread;
use std::time::Duration;

use fsm_tests::{Nsd, client};

use super::*;

/// Asks servers with `dns-client`.
fn ask(servers: &[SocketAddr], words: &[&str]) -> RunOutput {
    let mut program = Command::new(example("dns-client"));
    for server in servers {
        program.args(["--server", &server.to_string()]);
    }
    run(program.args(words), TIMEOUT)
}

/// A server that a test plays, and a query that it has got.
struct Played(UdpSocket);

impl Played {
    fn new() -> Self {
        // A build may take longer than a query is waited for.
        example("dns-client");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port should be free");
        socket.set_read_timeout(Some(TIMEOUT)).expect("it takes one");
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it has one")
    }

    fn query(&self) -> (Vec<u8>, SocketAddr) {
        let mut query = vec![0; 512];
        let (len, from) = self.0.recv_from(&mut query).expect("a query comes");
        query.truncate(len);
        (query, from)
    }

    fn send(&self, answer: &[u8], to: SocketAddr) {
        self.0.send_to(answer, to).expect("it can be sent");
    }
}

/// The answer to a query for an address, which is 192.0.2.`last`.
fn address_of(query: &[u8], last: u8) -> Vec<u8> {
    // Behind the header there are the name of the question, its type and its class.
    let name = query[12..].iter().position(|byte| *byte == 0).expect("a name ends");
    let mut answer = query[..12 + name + 5].to_vec();
    answer[2] |= 0x80;
    answer[4..12].copy_from_slice(&[0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, last]);
    answer
}

fn replies(server: SocketAddr) {
    for (words, printed) in [
        ("example.org MX", "example.org. 3600 IN MX 10 mail.example.org.\n"),
        (
            "www.example.org",
            "www.example.org. 3600 IN CNAME mail.example.org.\nmail.example.org. 3600 IN A 192.0.2.25\n",
        ),
        ("example.org AAAA", ""),
    ] {
        let ran = ask(&[server], &words.split(' ').collect::<Vec<_>>());
        assert!(ran.status.success() && ran.stderr.is_empty(), "{words}: {ran:?}");
        assert_eq!(ran.stdout, printed, "{words}");
    }
    let none = ask(&[server], &["none.example.org"]);
    assert_eq!((none.status.code(), &*none.stderr), (Some(1), "dns-client: NXDOMAIN\n"));
    // No datagram holds it.
    let big = ask(&[server], &["big.example.org", "TXT"]);
    assert_eq!((big.status.code(), big.stdout.lines().count()), (Some(0), 20), "{big:?}");
}

#[test]
fn replies_of_dns() {
    let (server, _folder) = dns(&format!("127.0.0.1:{}", free_port()), &[]);
    replies(server.address());
    server.stop();
}

#[test]
fn replies_of_nsd() {
    let Some(nsd) = client("nsd") else { return };
    replies(Nsd::start(&nsd, &zone()).address());
}

#[test]
fn what_is_lost_is_asked_again() {
    let server = Played::new();
    let address = server.address();
    let asked = thread::spawn(move || ask(&[address], &["example.org", "--wait", "300ms"]));
    let (first, second) = (server.query(), server.query());
    assert_eq!(first, second, "the same query from the same port");
    server.send(&address_of(&second.0, 1), second.1);
    let ran = asked.join().expect("it runs");
    assert_eq!(ran.stdout, "example.org. 60 IN A 192.0.2.1\n");
}

#[test]
fn an_answer_with_another_id_or_question_or_sender_is_ignored() {
    let (server, stranger) = (Played::new(), Played::new());
    let address = server.address();
    let asked = thread::spawn(move || ask(&[address], &["example.org", "--wait", "300ms"]));
    let (query, from) = server.query();
    let mut wrong_id = address_of(&query, 66);
    wrong_id[0] ^= 0x55;
    let mut wrong_question = address_of(&query, 66);
    wrong_question[13] = b'X';
    server.send(&wrong_id, from);
    server.send(&wrong_question, from);
    server.send(b"not DNS", from);
    stranger.send(&address_of(&query, 66), from);
    server.send(&address_of(&query, 1), from);
    let ran = asked.join().expect("it runs");
    assert_eq!(ran.stdout, "example.org. 60 IN A 192.0.2.1\n");
}

#[test]
fn an_answer_to_the_first_try_is_taken_after_the_second_one() {
    let server = Played::new();
    let address = server.address();
    let asked = thread::spawn(move || ask(&[address], &["example.org", "--wait", "300ms"]));
    let (query, from) = server.query();
    let _second = server.query();
    server.send(&address_of(&query, 1), from);
    assert_eq!(asked.join().expect("it runs").stdout, "example.org. 60 IN A 192.0.2.1\n");
}

#[test]
fn a_server_that_is_silent_or_gone_is_left_for_the_next_one() {
    let (silent, server) = (Played::new(), Played::new());
    let gone = Played::new().address();
    let servers = [gone, silent.address(), server.address()];
    let asked =
        thread::spawn(move || ask(&servers, &["example.org", "--wait", "300ms", "--tries", "2"]));
    let (_, port) = silent.query();
    assert_eq!(silent.query().1, port);
    let (query, from) = server.query();
    assert_ne!(from.port(), port.port(), "each server is asked from another port");
    server.send(&address_of(&query, 1), from);
    assert_eq!(asked.join().expect("it runs").stdout, "example.org. 60 IN A 192.0.2.1\n");
}

#[test]
fn ids_and_ports_differ() {
    let server = Played::new();
    let address = server.address();
    let seen: Vec<_> = (0..4)
        .map(|number| {
            let asked = thread::spawn(move || ask(&[address], &["example.org", "--wait", "300ms"]));
            let (query, from) = server.query();
            server.send(&address_of(&query, number), from);
            assert!(asked.join().expect("it runs").status.success());
            (query[..2].to_vec(), from.port())
        })
        .collect();
    let ids: std::collections::BTreeSet<_> = seen.iter().map(|(id, _)| id).collect();
    assert!(ids.len() >= 3, "{seen:?}");
}

#[test]
fn without_any_answer_it_says_so() {
    let silent = Played::new();
    let ran = ask(&[silent.address()], &["example.org", "--wait", "50ms", "--tries", "3"]);
    assert_eq!(ran.status.code(), Some(3), "{ran:?}");
    assert_eq!(ran.stderr, "dns-client: no server has answered\n");
    assert!(ran.took >= Duration::from_millis(150), "{:?}", ran.took);
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let ran = ask(&[closed.expect("a port should be free")], &["example.org"]);
    assert_eq!(ran.status.code(), Some(3), "{ran:?}");
}
