//! The echo servers do what their figures take for granted.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const PEERS: [&str; 7] = ["ours", "mio", "mio-features", "tokio", "tokio-threads", "compio", "may"];

struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// `None` where the system cannot run it.
    fn start(command: &mut Command) -> Option<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.contains("io_uring") {
            eprintln!("skipped: {line}");
            child.wait().unwrap();
            return None;
        }
        let address = line.strip_prefix("listening ").expect(&line).trim().to_owned();
        Some(Self { child, address })
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Calls `check` with a server of each peer.
fn each(check: impl Fn(&str, &Server)) {
    for peer in PEERS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_benches"));
        if let Some(server) = Server::start(command.args(["serve", "echo", peer])) {
            check(peer, &server);
        }
    }
    // Two tests may compile it at a time.
    let program = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = program.join(format!("echo-{:?}", thread::current().id()));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/c/echo.c");
    let compiled = Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).status();
    assert!(compiled.expect("a C compiler").success());
    check("c", &Server::start(&mut Command::new(&program)).unwrap());
    std::fs::remove_file(program).unwrap();
}

#[test]
fn what_the_socket_does_not_take_comes_back_later_whole_and_in_order() {
    each(|peer, server| {
        let bytes: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut stream = server.connect();
        let mut writer = stream.try_clone().unwrap();
        let sent = bytes.clone();
        let writer = thread::spawn(move || writer.write_all(&sent).unwrap());
        // By now all buffers between us are full.
        thread::sleep(Duration::from_millis(300));
        let mut came = vec![0; bytes.len()];
        stream.read_exact(&mut came).unwrap_or_else(|error| panic!("{peer}: {error}"));
        assert!(came == bytes, "{peer} has sent something else");
        writer.join().unwrap();
    });
}

#[test]
fn a_client_that_sends_and_leaves_at_once_gets_its_answer_and_the_end() {
    each(|peer, server| {
        for _ in 0..50 {
            let mut stream = server.connect();
            stream.write_all(b"last words").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert_eq!(answer, "last words", "{peer}");
        }
    });
}

#[test]
fn a_client_that_floods_does_not_keep_another_waiting() {
    each(|peer, server| {
        let mut flood = server.connect();
        let mut drain = flood.try_clone().unwrap();
        thread::spawn(move || while flood.write_all(&[7; 16_384]).is_ok() {});
        thread::spawn(move || while drain.read(&mut [0; 16_384]).is_ok_and(|n| n > 0) {});
        let mut other = server.connect();
        for _ in 0..20 {
            other.write_all(b"hello").unwrap();
            let mut answer = [0; 5];
            other.read_exact(&mut answer).unwrap_or_else(|error| panic!("{peer}: {error}"));
            assert_eq!(&answer, b"hello", "{peer}");
        }
    });
}
