//! The example `echo` sends back all input, however it is cut, up to the end of the stream.

use std::io::{Read, Write};
use std::process::Command;
use std::thread;

use fsm_tests::{Connection, Server, TIMEOUT, client, example, run_with_input};

#[test]
fn bytes_come_back_however_they_are_cut() {
    let server = echo();
    let mut connection = Connection::new(server.address());
    let text: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
    for size in [1, 2, 3, 1000, 16 * 1024 - 1, 16 * 1024, 16 * 1024 + 1, 100_000] {
        for piece in text.chunks(size).take(200) {
            connection.send(piece);
            assert!(connection.bytes(piece.len()) == piece, "a piece of {size} bytes has changed");
        }
    }
    connection.shutdown_write();
    connection.expect_end();
    server.stop();
}

#[test]
fn much_comes_back_while_more_is_sent() {
    let server = echo();
    let connection = Connection::new(server.address());
    let (mut out, mut back) = (connection.socket(), connection.socket());
    let text: Vec<u8> = (0..50_000_000_u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            out.write_all(&text).expect("the server should take it");
            out.shutdown(std::net::Shutdown::Write).expect("it is connected");
        });
        let mut received = Vec::new();
        back.read_to_end(&mut received).expect("the stream should end well");
        assert!(received == text, "{} of {} bytes came back", received.len(), text.len());
    });
    server.stop();
}

#[test]
fn five_hundred_clients_do_not_mix() {
    let server = echo();
    let mut clients: Vec<_> = (0..500).map(|_| Connection::new(server.address())).collect();
    for round in 0..5 {
        let text = |n| format!("round {round} of client {n}\n");
        for (n, client) in clients.iter_mut().enumerate() {
            client.send(text(n));
        }
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.line() + "\n", text(n));
        }
    }
    // A drain closes them, because they are at rest.
    let stopped = thread::spawn(|| server.stop());
    clients.iter_mut().for_each(Connection::expect_end);
    stopped.join().expect("see above");
}

#[test]
fn netcat() {
    let Some(program) = client("nc") else { return };
    let server = echo();
    let text = "a line, and another one\n".repeat(10_000);
    let input = text.clone();
    let mut nc = Command::new(program);
    nc.args(["-N", "127.0.0.1", &server.port()]);
    let ran = run_with_input(&mut nc, TIMEOUT, move |nc| nc.write_all(input.as_bytes()));
    assert!(ran.status.success() && ran.stdout == text, "{} {}", ran.status, ran.stderr);
    server.stop();
}

#[test]
fn invalid_addresses() {
    for address in ["7007", "127.0.0.1:port", "unix:"] {
        let failed = Server::try_start(Command::new(example("echo")).args(["--listen", address]));
        let failure = failed.expect_err("it should not start");
        let line = failure.log.lines().next().unwrap_or_default();
        let why = format!("--listen <ADDRESS>': `{address}` is no address");
        assert!(line.starts_with("error: ") && line.contains(&why), "{failure:?}");
        assert_eq!(failure.status.code(), Some(2), "{failure:?}");
        println!("{line}");
    }
}

fn echo() -> Server {
    Server::start(Command::new(example("echo")).args(["--port", "0"]))
}
