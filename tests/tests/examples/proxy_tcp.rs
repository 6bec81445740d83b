//! The example `proxy tcp`: clients and targets that it joins.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use fsm_runtime::prelude::*;
use fsm_runtime::proxy::{Header, Version};
use fsm_tests::{Connection, Server, TIMEOUT, all_in_ci, client, example, run, run_with_input};

fn proxy(targets: &[SocketAddr], options: &[&str]) -> Server {
    let mut command = Command::new(example("proxy"));
    command.args(["tcp", "--port", "0"]).args(options);
    for target in targets {
        command.arg("--to").arg(target.to_string());
    }
    Server::start(&mut command)
}

/// A target that answers with `name` and all that it has read, once its client has ended its stream.
fn target(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.expect("a client");
                let mut all = name.as_bytes().to_vec();
                // A client may have reset the connection.
                if stream.read_to_end(&mut all).is_ok() {
                    let _ = stream.write_all(&all);
                }
            });
        }
    });
    address
}

/// An address on which nothing listens.
fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    listener.local_addr().expect("it is bound")
}

fn ask(address: SocketAddr, question: &[u8]) -> Vec<u8> {
    let mut stream = Connection::new(address);
    stream.send(question);
    stream.shutdown_write();
    let mut answer = Vec::new();
    stream.socket().read_to_end(&mut answer).expect("the answer should be whole");
    answer
}

#[test]
fn targets_are_taken_in_turn_and_ends_are_passed_on() {
    let server = proxy(&[target("a:"), target("b:")], &[]);
    for answer in ["a:hello", "b:hello", "a:hello"] {
        assert_eq!(ask(server.address(), b"hello"), answer.as_bytes());
    }
    let log = server.stop();
    assert_eq!(log.matches("both sides have ended").count(), 3, "{log}");
    assert!(log.contains("out=5 back=7"), "{log}");
}

#[test]
fn no_client_notices_a_dead_target() {
    let server = proxy(&[dead(), target("alive:"), dead()], &[]);
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(move || {
                for _ in 0..all_in_ci(100, 25) {
                    assert_eq!(ask(address, b"hello"), b"alive:hello");
                }
            });
        }
    });
    let log = server.stop();
    // Each of both is asked again after a second at the earliest, and then after two.
    assert!((2..20).contains(&log.matches("is left alone for").count()), "{log}");
}

#[test]
fn a_client_is_disconnected_when_no_target_takes_it() {
    let server = proxy(&[dead(), dead()], &[]);
    Connection::new(server.address()).expect_end();
    server.logs("no target takes the client");
}

#[test]
fn megabytes_pass_unchanged() {
    let server = proxy(&[target("")], &[]);
    let sent: Vec<u8> =
        (0..all_in_ci(50_000_000_u32, 4_000_000)).map(|at| at.to_le_bytes()[1]).collect();
    let mut stream = TcpStream::connect(server.address()).expect("it should connect");
    stream.write_all(&sent).expect("the target reads");
    stream.shutdown(Shutdown::Write).expect("it is connected");
    let mut got = Vec::new();
    stream.read_to_end(&mut got).expect("the answer should be whole");
    assert!(got == sent, "{} of {} bytes, or others", got.len(), sent.len());
    server.stop();
}

#[test]
fn headers_are_sent_and_believed() {
    for (version, name) in [(Version::V1, "v1"), (Version::V2, "v2")] {
        let inner = proxy(&[target("")], &["--send-proxy", name]);
        let listens = inner.address();
        let mut stream = Connection::new(listens);
        stream.send("hello");
        stream.shutdown_write();
        let own = stream.socket().local_addr().expect("it is connected");
        let mut got = Vec::new();
        stream.socket().read_to_end(&mut got).expect("the answer should be whole");
        let Ok(Decoded::Frame(origin, len)) = Header.decode(&got) else {
            panic!("{}", got.escape_ascii())
        };
        assert_eq!((origin.source(), origin.destination()), (Some(own), Some(listens)));
        assert_eq!((origin.version, &got[len..]), (version, &b"hello"[..]));
        inner.stop();

        // Two in a row: the target hears of the first one's client.
        let inner = proxy(&[target("")], &["--send-proxy", name, "--accept-proxy"]);
        let outer = proxy(&[inner.address()], &["--send-proxy", name]);
        let got = ask(outer.address(), b"hello");
        let Ok(Decoded::Frame(origin, len)) = Header.decode(&got) else {
            panic!("{}", got.escape_ascii())
        };
        assert_eq!((origin.destination(), &got[len..]), (Some(outer.address()), &b"hello"[..]));
        // Its own clients need a header.
        let mut plain = Connection::new(inner.address());
        plain.send("hello");
        assert!(plain.is_at_end().unwrap_or(true));
        inner.logs("no PROXY header");
    }
}

#[test]
fn netcat_and_socat_half_close_through_it() {
    let server = proxy(&[target("got ")], &[]);
    let (address, port) = (server.address(), server.port());
    for (name, arguments) in [
        ("nc", vec!["-N".to_owned(), "127.0.0.1".to_owned(), port]),
        ("socat", vec!["-t20".to_owned(), "-".to_owned(), format!("TCP:{address}")]),
    ] {
        let Some(program) = client(name) else { continue };
        let ran = run_with_input(Command::new(program).args(arguments), TIMEOUT, |input| {
            input.write_all(b"a question")
        });
        assert_eq!(ran.stdout, "got a question", "{ran:?}");
    }
    server.stop();
}

#[test]
fn a_quiet_and_a_half_closed_tunnel_end_in_time() {
    let server = proxy(&[silent()], &["--idle", "300ms", "--half-closed", "20s"]);
    Connection::new(server.address()).expect_end();
    server.logs("quiet for too long");
    drop(server);

    let server = proxy(&[silent()], &["--half-closed", "300ms"]);
    let mut stream = Connection::new(server.address());
    stream.shutdown_write();
    stream.expect_end();
    server.logs("one side has ended");
}

/// A target that says nothing and never ends its stream.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port should be free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

#[test]
fn each_subcommand_has_the_words_of_the_other_examples() {
    for (name, port) in [("tcp", "7010"), ("socks5", "1080")] {
        let ran = run(Command::new(example("proxy")).args([name, "--help"]), TIMEOUT);
        assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
        for words in [
            "--listen <ADDRESS>",
            "--max-connections <N>",
            "--drain-within <TIME>",
            "--log-level <LEVEL>",
            "--connect-timeout <TIME>",
            "--idle <TIME>",
            "--half-closed <TIME>",
            &format!("[default: {port}]"),
        ] {
            assert!(ran.stdout.contains(words), "{name}: no `{words}` in:\n{}", ran.stdout);
        }
    }
    for wrong in [
        &["tcp"][..],
        &["tcp", "--to", "nonsense"],
        &["tcp", "--to", "a:1", "--connect-timeout", "61s"],
        &["socks5", "--user", "ann"],
        &["socks5", "--allow", "10.0.0.1/8"],
    ] {
        let ran = run(Command::new(example("proxy")).args(wrong), TIMEOUT);
        assert_eq!(ran.status.code(), Some(2), "{wrong:?}: {ran:?}");
    }
}
